import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import { AwsError } from '../../kernel/service.ts';
import { isRecord, type Json } from '../../template/json.ts';

/** Calls on items. Each has the permissions that it needs, and its input with tables by name instead of by ARN. */

/** Name of the attribute that is the partition key of a table or its index; undefined if that does not exist. */
export type PartitionKeyOf = (table: string, index?: string) => string | undefined;

interface Check {
  action: string;
  resource: string;
  /** dynamodb:LeadingKeys has the partition keys of all requested items. */
  context?: Record<string, readonly string[]>;
}

export interface Plan {
  checks: Check[];
  input: Json;
  /** Table ARNs from the request, by name: an answer that repeats table names must have the ARNs. */
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

type Planner = (operation: string, input: Json, partitionKeyOf: PartitionKeyOf) => Plan;

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

/**
 * Undefined for an operation that is not served.
 * @throws AwsError ValidationException
 */
export function planOperation(operation: string, input: Json, partitionKeyOf: PartitionKeyOf): Plan | undefined {
  return Object.hasOwn(PLANNERS, operation) ? PLANNERS[operation]?.(operation, input, partitionKeyOf) : undefined;
}

function onTable(operation: string, input: Json, partitionKeyOf: PartitionKeyOf): Plan {
  const table = tableOf(input.TableName);
  const indexName = typeof input.IndexName === 'string' ? input.IndexName : undefined;
  const partitionKey = partitionKeyOf(table.name, indexName);
  const leading =
    operation === 'Query'
      ? queriedKey(input, partitionKey)
      : [input.Key, input.Item].flatMap((item) => keyText(item, partitionKey));
  return {
    checks: [
      {
        action: `dynamodb:${operation}`,
        resource: indexName === undefined ? table.arn : `${table.arn}/index/${indexName}`,
        ...leadingKeys(leading),
      },
    ],
    input: { ...input, TableName: table.name },
    aliases: new Map(),
  };
}

function onRequestItems(operation: string, input: Json, partitionKeyOf: PartitionKeyOf): Plan {
  if (!isRecord(input.RequestItems)) throw invalid('RequestItems is a map of tables');
  const entries = Object.entries(input.RequestItems).map(([given, request]) => ({ given, request, ...tableOf(given) }));
  return {
    checks: entries.map(({ name, arn, request }) => ({
      action: `dynamodb:${operation}`,
      resource: arn,
      ...leadingKeys(itemsOf(request).flatMap((item) => keyText(item, partitionKeyOf(name)))),
    })),
    input: { ...input, RequestItems: Object.fromEntries(entries.map(({ name, request }) => [name, request])) },
    aliases: new Map(entries.filter(({ given, name }) => given !== name).map(({ given, name }) => [name, given])),
  };
}

/** The keys of a BatchGetItem, or the keys and items of a BatchWriteItem. */
function itemsOf(request: unknown): unknown[] {
  if (isRecord(request) && Array.isArray(request.Keys)) return request.Keys;
  if (!Array.isArray(request)) return [];
  return request.flatMap((write: unknown) =>
    isRecord(write) ? Object.values(write).flatMap((it) => (isRecord(it) ? [it.Key, it.Item] : [])) : [],
  );
}

function onTransactItems(_: string, input: Json, partitionKeyOf: PartitionKeyOf): Plan {
  if (!Array.isArray(input.TransactItems)) throw invalid('TransactItems is a list');
  const checks: Check[] = [];
  const items = input.TransactItems.map((item: unknown) => {
    if (!isRecord(item)) throw invalid('a member of TransactItems is an object');
    return Object.fromEntries(
      Object.entries(item).map(([kind, member]) => {
        const action = Object.hasOwn(TRANSACT_ACTIONS, kind) ? TRANSACT_ACTIONS[kind] : undefined;
        if (!action || !isRecord(member)) throw invalid(`${kind} is not a member of a transaction`);
        const table = tableOf(member.TableName);
        const leading = [member.Key, member.Item].flatMap((it) => keyText(it, partitionKeyOf(table.name)));
        checks.push({ action: `dynamodb:${action}`, resource: table.arn, ...leadingKeys(leading) });
        return [kind, { ...member, TableName: table.name }];
      }),
    );
  });
  return { checks, input: { ...input, TransactItems: items }, aliases: new Map() };
}

/** Absent without a key: AWS does not set it for a Scan either, and ForAllValues is true then. */
function leadingKeys(keys: readonly string[]): Pick<Check, 'context'> {
  return keys.length === 0 ? {} : { context: { 'dynamodb:LeadingKeys': [...new Set(keys)] } };
}

/** The partition key of an item or a key, as text for conditions. */
function keyText(item: unknown, partitionKey: string | undefined): string[] {
  return isRecord(item) && partitionKey !== undefined ? attributeText(item[partitionKey]) : [];
}

function attributeText(value: unknown): string[] {
  return isRecord(value) ? Object.values(value).map(String) : [];
}

/**
 * The partition key value of a Query.
 * @throws AwsError for any other form of Query
 */
function queriedKey(input: Json, partitionKey: string | undefined): string[] {
  if (partitionKey === undefined) return [];
  const { KeyConditionExpression: expression, ExpressionAttributeValues: values } = input;
  const names = isRecord(input.ExpressionAttributeNames) ? input.ExpressionAttributeNames : {};
  for (const condition of String(expression).split(/\bAND\b/i)) {
    const [name = '', value = ''] = condition.split('=').map((side) => side.replace(/[()\s]/g, ''));
    const attribute = name.startsWith('#') ? names[name] : name;
    if (attribute === partitionKey && isRecord(values)) return attributeText(values[value]);
  }
  throw invalid(`Query is served with a KeyConditionExpression of the form ${partitionKey} = :value`);
}

/** Reads a table's name or ARN. */
function tableOf(given: unknown): { name: string; arn: string } {
  if (typeof given !== 'string' || given === '') throw invalid('TableName is missing');
  if (!given.startsWith('arn:')) return { name: given, arn: `${TABLE_PREFIX}${given}` };
  if (!given.startsWith(TABLE_PREFIX)) throw tableNotFound();
  return { name: given.slice(TABLE_PREFIX.length), arn: given };
}

export const tableNotFound = () => new AwsError('ResourceNotFoundException', 400, 'Requested resource not found');

export const invalid = (message: string) => new AwsError('ValidationException', 400, message);

/** The tables of a planned input. */
export function tablesOf(input: Json): string[] {
  const transact = Array.isArray(input.TransactItems)
    ? input.TransactItems.flatMap((item) => Object.values(item as Json)).map((member) => (member as Json).TableName)
    : [];
  const batch = isRecord(input.RequestItems) ? Object.keys(input.RequestItems) : [];
  return [input.TableName, ...transact, ...batch].filter((name) => typeof name === 'string');
}
