import { REGION } from '../../kernel/account.ts';
import { AwsError, type ServiceRequest } from '../../kernel/service.ts';
import { isRecord, type Json } from '../../template/json.ts';
import { labelOf } from './answers.ts';
import type { Database } from './database.ts';
import { invalid } from './operations.ts';
import type { TableConfiguration } from './template.ts';

const PREFIX = 'DynamoDBStreams_20120810.';

/** Separates a stream's ARN and the database's own iterator in the iterators of clients. As on AWS. */
const SEPARATOR = '|1|';

interface Stream {
  table: TableConfiguration;
  /** The database's ARN of the stream. */
  inner: string;
}

type Authorize = ServiceRequest['authorize'];
type Operation = (authorize: Authorize, input: Json) => Promise<Json>;

/** The operations on streams, by name. */
export function streamOperations(database: Database, streams: readonly Stream[]): Readonly<Record<string, Operation>> {
  function find(streamArn: unknown): Stream {
    const found = streams.find(({ table }) => table.streamArn === streamArn);
    if (found) return found;
    throw new AwsError(
      'ResourceNotFoundException',
      400,
      `Requested resource not found: Stream: ${streamArn} not found`,
    );
  }
  const call = async (operation: string, input: Json): Promise<Json> => {
    const output = await database.call(`${PREFIX}${operation}`, input);
    return isRecord(output) ? output : {};
  };

  return {
    async ListStreams(authorize, input) {
      authorize({ action: 'dynamodb:ListStreams', resource: '*' });
      const listed = streams.filter(({ table }) => input.TableName === undefined || input.TableName === table.name);
      return {
        Streams: listed.map(({ table }) => ({
          StreamArn: table.streamArn,
          TableName: table.name,
          StreamLabel: labelOf(table.streamArn),
        })),
      };
    },
    async DescribeStream(authorize, input) {
      authorize({ action: 'dynamodb:DescribeStream', resource: String(input.StreamArn) });
      const { table, inner } = find(input.StreamArn);
      const { StreamDescription: description } = await call('DescribeStream', { ...input, StreamArn: inner });
      if (!isRecord(description)) throw new AwsError('InternalServerError', 500, 'The stream has no description.');
      const shards = Array.isArray(description.Shards) ? description.Shards : [];
      return {
        StreamDescription: {
          ...description,
          StreamArn: table.streamArn,
          StreamLabel: labelOf(table.streamArn),
          Shards: shards.map((shard) => open(shard)),
        },
      };
    },
    async GetShardIterator(authorize, input) {
      authorize({ action: 'dynamodb:GetShardIterator', resource: String(input.StreamArn) });
      const { table, inner } = find(input.StreamArn);
      const output = await call('GetShardIterator', { ...input, StreamArn: inner });
      return { ShardIterator: `${table.streamArn}${SEPARATOR}${output.ShardIterator}` };
    },
    async GetRecords(authorize, input) {
      const [streamArn = '', iterator] = String(input.ShardIterator).split(SEPARATOR);
      if (iterator === undefined) throw invalid('Invalid ShardIterator');
      authorize({ action: 'dynamodb:GetRecords', resource: streamArn });
      const { table } = find(streamArn);
      const output = await call('GetRecords', { ...input, ShardIterator: iterator });
      const records = Array.isArray(output.Records) ? output.Records : [];
      return {
        Records: records.map((record) => ({ ...record, awsRegion: REGION })),
        ...(output.NextShardIterator !== undefined && {
          NextShardIterator: `${table.streamArn}${SEPARATOR}${output.NextShardIterator}`,
        }),
      };
    },
  };
}

/** Removes the last sequence number, which the database gives for an open shard and which on AWS means a closed one. */
function open(shard: unknown): unknown {
  if (!isRecord(shard) || !isRecord(shard.SequenceNumberRange)) return shard;
  const { StartingSequenceNumber } = shard.SequenceNumberRange;
  return { ...shard, SequenceNumberRange: { StartingSequenceNumber } };
}
