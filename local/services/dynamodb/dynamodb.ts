/**
 * DynamoDB: a database in its own process behind the gateway; permissions are checked before it is called.
 *
 *     const dynamodb = await createDynamoDb(context, { tables: readTables(template, reader) });
 *
 * The database is dynoxide with the file `table.sqlite` in `context.dir`, or the one at the given `endpoint`.
 */

import type { ServiceContext } from '../../kernel/account.ts';
import { jsonError, jsonResponse, operationOf, readInput } from '../../kernel/aws-json.ts';
import { AwsError, type Service, type ServiceRequest, type ServiceResponse } from '../../kernel/service.ts';
import { isRecord, type Json } from '../../template/json.ts';
import { ownDescription, withAliases } from './answers.ts';
import { refuseConflicts } from './conflicts.ts';
import { connect } from './database.ts';
import { expireItems } from './expiry.ts';
import { overHttp } from './http.ts';
import { lagIndexes } from './lagging.ts';
import { invalid, planOperation, tableNotFound, tablesOf } from './operations.ts';
import { startDatabase } from './process.ts';
import { refuseUnprojected } from './projected.ts';
import { streamOperations } from './streams.ts';
import { ensureTables } from './tables.ts';
import { partitionKeyOf, type TableConfiguration } from './template.ts';

export interface DynamoDb extends Service {
  /** Calls back after each write to a table, whatever its outcome, until the returned function is called. */
  onWrite(listener: () => void): () => void;
  close(): Promise<void>;
  /** Ends the database at once, like a power cut. */
  crash(): void;
}

export interface DynamoDbOptions {
  tables: readonly TableConfiguration[];
  /** Milliseconds after which a write to a table can be read by its indexes. Default: 0. */
  indexLag?: ((table: string) => number) | undefined;
  /** URL of an already running DynamoDB. Default: dynoxide is started. */
  endpoint?: string | undefined;
  /** Duration of a transaction in milliseconds. Default: as long as the database takes. */
  transactionTime?: (() => number) | undefined;
}

/** @throws Error when the database cannot be started, or has tables with other keys than the template */
export async function createDynamoDb(
  context: ServiceContext,
  { tables, indexLag, endpoint, transactionTime }: DynamoDbOptions,
): Promise<DynamoDb> {
  const transport = await (endpoint ? overHttp(endpoint) : startDatabase(context.dir, context.log));
  const listeners = new Set<() => void>();
  const straight = connect(transport, () => {
    for (const listener of listeners) listener();
  });
  const byName = new Map(tables.map((table) => [table.name, table]));
  const [innerStreams, lagging] = await Promise.resolve()
    .then(async () => {
      const streams = await ensureTables(straight, tables);
      return [streams, indexLag && (await lagIndexes(context, straight, tables, indexLag))] as const;
    })
    .catch(async (error) => {
      await transport.close();
      throw error;
    });
  const database = lagging?.database ?? straight;
  const guarded = refuseConflicts(context.clock, database, byName, transactionTime);
  const streams = streamOperations(
    database,
    tables.flatMap((table) => {
      const inner = innerStreams.get(table.name);
      return inner === undefined ? [] : [{ table, inner }];
    }),
  );
  const stopExpiry = expireItems(context, database, tables);

  async function handleItems(request: ServiceRequest, target: string, given: Json): Promise<ServiceResponse> {
    const plan = planOperation(operationOf(request.headers), given, (table, index) =>
      partitionKeyOf(byName.get(table), index),
    );
    if (!plan) throw unknownOperation(target);
    for (const check of plan.checks) request.authorize(check);
    if (tablesOf(plan.input).some((name) => !byName.has(name))) throw tableNotFound();
    refuseUnprojected(byName.get(String(plan.input.TableName)), plan.input);
    const { status, body } = await guarded.send(target, plan.input);
    const table = byName.get(String(plan.input.TableName));
    if (status === 200 && target.endsWith('.DescribeTable') && table) {
      return jsonResponse('1.0', { Table: ownDescription(JSON.parse(body).Table, table) });
    }
    if (status === 200 && plan.aliases.size > 0)
      return jsonResponse('1.0', withAliases(JSON.parse(body), plan.aliases));
    return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body };
  }

  return {
    name: 'dynamodb',
    operation: ({ headers }) => operationOf(headers),
    async handle(request) {
      const target = request.headers['x-amz-target'] ?? '';
      const input = await readInput(request.body);
      if (!isRecord(input)) throw invalid('The input is not an object');
      const [api, operation = ''] = target.split('.');
      if (api === 'DynamoDB_20120810') return handleItems(request, target, input);
      const work =
        api === 'DynamoDBStreams_20120810' && Object.hasOwn(streams, operation) ? streams[operation] : undefined;
      if (!work) throw unknownOperation(target);
      return jsonResponse('1.0', await work((check) => request.authorize(check), input));
    },
    renderError,
    onWrite(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await stopExpiry();
      await lagging?.stop();
      await transport.close();
    },
    crash() {
      void stopExpiry();
      void lagging?.stop();
      transport.crash();
    },
  };
}

function unknownOperation(target: string): AwsError {
  return new AwsError('UnknownOperationException', 400, `${target} is not served by this local DynamoDB`);
}

function renderError(error: AwsError): ServiceResponse {
  if (error.code !== 'AccessDenied') return jsonError('1.0', error, 'com.amazonaws.dynamodb.v20120810#');
  const { message, extra } = error;
  const denied = new AwsError('AccessDeniedException', 400, message, extra);
  return jsonError('1.0', denied, 'com.amazon.coral.service#');
}
