/**
 * DynamoDB: a database of its own process behind the gateway, which decides on permissions first.
 *
 *     const dynamodb = await createDynamoDb(surroundings, { tables: readTables(template, reader) });
 *
 * The database is dynoxide, its file `table.sqlite` in `surroundings.dir`; DROPREEL_DYNAMODB_ENDPOINT names another one.
 */

import type { Surroundings } from '../account.ts';
import { jsonError, jsonResponse, operationOf, readInput } from '../aws-json.ts';
import { AwsError, type Service, type ServiceRequest, type ServiceResponse } from '../service.ts';
import { isRecord, type Json } from '../template/json.ts';
import { ownDescription, withAliases } from './answers.ts';
import { connect } from './database.ts';
import { expireItems } from './expiry.ts';
import { invalid, planOperation, tableNotFound, tablesOf } from './operations.ts';
import { type DatabaseProcess, startDatabase } from './process.ts';
import { streamOperations } from './streams.ts';
import { ensureTables } from './tables.ts';
import type { TableConfiguration } from './template.ts';

export interface DynamoDb extends Service {
  /** Calls back after each write to a table, whatever its outcome, until the returned function is called. */
  onWrite(listener: () => void): () => void;
  close(): Promise<void>;
  /** Ends the database at once, as a power cut does. */
  crash(): void;
}

/** @throws Error when the database cannot be started, or holds tables with other keys than the template says */
export async function createDynamoDb(
  surroundings: Surroundings,
  { tables }: { tables: readonly TableConfiguration[] },
): Promise<DynamoDb> {
  const process = await findDatabase(surroundings);
  const listeners = new Set<() => void>();
  const database = connect(process.endpoint, () => {
    for (const listener of listeners) listener();
  });
  const byName = new Map(tables.map((table) => [table.name, table]));
  const innerStreams = await ensureTables(database, tables).catch(async (error) => {
    await process.close();
    throw error;
  });
  const streams = streamOperations(
    database,
    tables.flatMap((table) => {
      const inner = innerStreams.get(table.name);
      return inner === undefined ? [] : [{ table, inner }];
    }),
  );
  const stopExpiry = expireItems(surroundings, database, tables);

  async function handleItems(request: ServiceRequest, target: string, given: Json): Promise<ServiceResponse> {
    const plan = planOperation(operationOf(request.headers), given);
    if (!plan) throw unknownOperation(target);
    for (const check of plan.checks) request.authorize(check);
    if (tablesOf(plan.input).some((name) => !byName.has(name))) throw tableNotFound();
    const { status, body } = await database.send(target, plan.input);
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
      if (!isRecord(input)) throw invalid('The input is no object');
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
      await process.close();
    },
    crash() {
      void stopExpiry();
      process.crash();
    },
  };
}

async function findDatabase({ dir, log }: Surroundings): Promise<DatabaseProcess> {
  const other = globalThis.process.env.DROPREEL_DYNAMODB_ENDPOINT;
  if (!other) return startDatabase(dir, log);
  return { endpoint: async () => other, close: async () => {}, crash: () => {} };
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
