import { ACCOUNT_ID, REGION } from '../account.ts';
import { AwsError } from '../service.ts';
import { isRecord, type Json } from '../template/json.ts';

/** Calls on items. Each: the permissions that it needs, and its input with tables by name instead of by ARN. */

export interface Plan {
  checks: { action: string; resource: string }[];
  input: Json;
  /** Table ARNs as the caller gave them, by name: where an answer repeats table names it must have them. */
  aliases: ReadonlyMap<string, string>;
}

const TABLE_PREFIX = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/`;

/** The permission of each member of a transaction. */
const TRANSACT_ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

type Planner = (operation: string, input: Json) => Plan;

const PLANNERS: Readonly<Record<string, Planner>> = {
  GetItem: onTable,
  PutItem: onTable,
  UpdateItem: onTable,
  DeleteItem: onTable,
  DescribeTable: onTable,
  Query: onTable,
  Scan: onTable,
  BatchGetItem: onRequestItems,
  BatchWriteItem: onRequestItems,
  TransactGetItems: onTransactItems,
  TransactWriteItems: onTransactItems,
};

/** Undefined for an operation that is not served. @throws AwsError ValidationException */
export function planOperation(operation: string, input: Json): Plan | undefined {
  return Object.hasOwn(PLANNERS, operation) ? PLANNERS[operation]?.(operation, input) : undefined;
}

function onTable(operation: string, input: Json): Plan {
  const table = tableOf(input.TableName);
  const index = typeof input.IndexName === 'string' ? `/index/${input.IndexName}` : '';
  return {
    checks: [{ action: `dynamodb:${operation}`, resource: `${table.arn}${index}` }],
    input: { ...input, TableName: table.name },
    aliases: new Map(),
  };
}

function onRequestItems(operation: string, input: Json): Plan {
  if (!isRecord(input.RequestItems)) throw invalid('RequestItems is a map of tables');
  const entries = Object.entries(input.RequestItems).map(([given, request]) => ({ given, request, ...tableOf(given) }));
  return {
    checks: entries.map(({ arn }) => ({ action: `dynamodb:${operation}`, resource: arn })),
    input: { ...input, RequestItems: Object.fromEntries(entries.map(({ name, request }) => [name, request])) },
    aliases: new Map(entries.filter(({ given, name }) => given !== name).map(({ given, name }) => [name, given])),
  };
}

function onTransactItems(_: string, input: Json): Plan {
  if (!Array.isArray(input.TransactItems)) throw invalid('TransactItems is a list');
  const checks = new Map<string, { action: string; resource: string }>();
  const items = input.TransactItems.map((item: unknown) => {
    if (!isRecord(item)) throw invalid('a member of TransactItems is an object');
    return Object.fromEntries(
      Object.entries(item).map(([kind, member]) => {
        const action = Object.hasOwn(TRANSACT_ACTIONS, kind) ? TRANSACT_ACTIONS[kind] : undefined;
        if (!action || !isRecord(member)) throw invalid(`${kind} is no member of a transaction`);
        const table = tableOf(member.TableName);
        checks.set(`${action} ${table.arn}`, { action: `dynamodb:${action}`, resource: table.arn });
        return [kind, { ...member, TableName: table.name }];
      }),
    );
  });
  return { checks: [...checks.values()], input: { ...input, TransactItems: items }, aliases: new Map() };
}

/** A table is given by its name or its ARN. */
function tableOf(given: unknown): { name: string; arn: string } {
  if (typeof given !== 'string' || given === '') throw invalid('TableName is missing');
  if (!given.startsWith('arn:')) return { name: given, arn: `${TABLE_PREFIX}${given}` };
  if (!given.startsWith(TABLE_PREFIX)) throw tableNotFound();
  return { name: given.slice(TABLE_PREFIX.length), arn: given };
}

export const tableNotFound = () => new AwsError('ResourceNotFoundException', 400, 'Requested resource not found');

export const invalid = (message: string) => new AwsError('ValidationException', 400, message);

/** The tables that an input names, after planning. */
export function tablesOf(input: Json): string[] {
  const transact = Array.isArray(input.TransactItems)
    ? input.TransactItems.flatMap((item) => Object.values(item as Json)).map((member) => (member as Json).TableName)
    : [];
  const batch = isRecord(input.RequestItems) ? Object.keys(input.RequestItems) : [];
  return [input.TableName, ...transact, ...batch].filter((name) => typeof name === 'string');
}
