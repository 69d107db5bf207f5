/**
 * Writes to items of an ongoing transaction:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 * A single write is refused with TransactionConflictException, which the SDK does not retry; another transaction is cancelled.
 * BatchWriteItem is not refused, because AWS does not document its answer.
 */
import type { Clock } from '../../kernel/clock.ts';
import { AwsError } from '../../kernel/service.ts';
import { isRecord, type Json } from '../../template/json.ts';
import type { Answer, Database } from './database.ts';
import type { TableConfiguration } from './template.ts';
import { API, keyOf, writesOf } from './writes.ts';

/** AWS's message, from https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const ONGOING = 'Transaction is ongoing for the item';

/** @param durationOf milliseconds from the start of a transaction until it takes effect; default: as long as the database takes */
export function refuseConflicts(
  clock: Clock,
  database: Database,
  tables: ReadonlyMap<string, TableConfiguration>,
  durationOf?: () => number,
): Pick<Database, 'send'> {
  const ongoing = new Set<string>();

  function itemsOf(target: string, input: Json): string[] {
    return writesOf(target, input).flatMap(({ name, item }) => {
      const table = tables.get(name);
      return table ? [JSON.stringify([name, keyOf(table, item)])] : [];
    });
  }

  async function transact(target: string, input: Json) {
    const items = itemsOf(target, input);
    if (items.some((item) => ongoing.has(item))) return cancelled(items.map((item) => ongoing.has(item)));
    for (const item of items) ongoing.add(item);
    try {
      if (durationOf) await new Promise<void>((resolve) => void clock.after(durationOf(), resolve));
      return await database.send(target, input);
    } finally {
      for (const item of items) ongoing.delete(item);
    }
  }

  return {
    async send(target, input) {
      if (!isRecord(input)) return database.send(target, input);
      switch (target.slice(API.length)) {
        case 'TransactWriteItems':
          return transact(target, input);
        case 'PutItem':
        case 'UpdateItem':
        case 'DeleteItem':
          if (itemsOf(target, input).some((item) => ongoing.has(item))) {
            throw new AwsError('TransactionConflictException', 400, ONGOING);
          }
      }
      return database.send(target, input);
    },
  };
}

/** @param met for each member, whether it conflicts with another transaction */
function cancelled(met: readonly boolean[]): Answer {
  const CancellationReasons = met.map((it) =>
    it ? { Code: 'TransactionConflict', Message: ONGOING } : { Code: 'None' },
  );
  const codes = CancellationReasons.map(({ Code }) => Code).join(', ');
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
  const __type = 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException';
  return { status: 400, body: JSON.stringify({ __type, message, CancellationReasons }) };
}
