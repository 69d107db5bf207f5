import { isRecord, type Json } from '../../template/json.ts';
import type { TableConfiguration } from './template.ts';

export const API = 'DynamoDB_20120810.';

/** The key attributes of an item or a key. */
export function keyOf({ properties }: TableConfiguration, item: Json): Json {
  return Object.fromEntries(properties.KeySchema.map(({ AttributeName: name }) => [name, item[name]]));
}

/** The items (or keys) that a call writes, or only checks in a transaction that writes. */
export function writesOf(target: string, input: Json): { name: string; item: Json }[] {
  switch (target.slice(API.length)) {
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return writeTo(input.TableName, input);
    case 'BatchWriteItem':
      return Object.entries(isRecord(input.RequestItems) ? input.RequestItems : {}).flatMap(([name, requests]) =>
        (Array.isArray(requests) ? requests : [])
          .filter(isRecord)
          .flatMap((request) => Object.values(request).flatMap((write) => writeTo(name, write))),
      );
    case 'TransactWriteItems':
      return (Array.isArray(input.TransactItems) ? input.TransactItems : [])
        .filter(isRecord)
        .flatMap((member) => Object.values(member))
        .flatMap((write) => (isRecord(write) ? writeTo(write.TableName, write) : []));
    default:
      return [];
  }
}

function writeTo(name: unknown, write: unknown): { name: string; item: Json }[] {
  const item = isRecord(write) ? (write.Item ?? write.Key) : undefined;
  return isRecord(item) ? [{ name: String(name), item }] : [];
}
