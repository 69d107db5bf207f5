import type { RowKey, RowRange } from '../core/contracts/table/keys.ts';
import type { Add, Check, Expectation, Put, Remove, Update } from '../core/jobs/change.ts';

/** Input of DynamoDB's write calls. Every attribute is named by a placeholder, because many of ours are reserved words. */
export interface Input {
  Key: RowKey;
  UpdateExpression: string;
  ConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
}

export function updateInput(write: Update): Input {
  const words = new Words();
  const sets = Object.entries(write.set)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${words.name(name)} = ${words.value(value)}`);
  const removed = (write.remove ?? []).map((name) => words.name(name));
  const conditions = words.conditions(write.expect);
  const clauses = [
    ...(sets.length > 0 ? [`SET ${sets.join(', ')}`] : []),
    ...(removed.length > 0 ? [`REMOVE ${removed.join(', ')}`] : []),
  ];
  return { Key: write.key, UpdateExpression: clauses.join(' '), ...words.asInput(conditions) };
}

export function addInput(write: Add): Input {
  const words = new Words();
  const added = Object.entries(write.amounts).filter(([, amount]) => amount !== 0);
  const adds = added.map(([name, amount]) => `${words.name(name)} ${words.value(amount)}`);
  const sets = Object.entries(write.set).map(([name, value]) => `${words.name(name)} = ${words.value(value)}`);
  const conditions = added.flatMap(([name, amount]) => {
    const max = write.max[name];
    if (max === undefined) return [];
    const count = words.name(name);
    // 0.3 - 0.1 is less than 0.2.
    const room = words.value(Number((max - amount).toPrecision(12)));
    return `(attribute_not_exists(${count}) OR ${count} <= ${room})`;
  });
  const clauses = [`ADD ${adds.join(', ')}`, ...(sets.length > 0 ? [`SET ${sets.join(', ')}`] : [])];
  return { Key: write.key, UpdateExpression: clauses.join(' '), ...words.asInput(conditions) };
}

export function putInput(write: Put) {
  return { Item: { ...write.key, ...write.row }, ConditionExpression: 'attribute_not_exists(pk)' };
}

export function removeInput(write: Remove) {
  const words = new Words();
  return { Key: write.key, ...words.asInput(words.conditions(write.expect)) };
}

export function checkInput(write: Check) {
  const words = new Words();
  const { ConditionExpression = 'attribute_exists(pk)', ...rest } = words.asInput(words.conditions(write.expect));
  return { Key: write.key, ConditionExpression, ...rest };
}

/** Gives each attribute name and value a placeholder. */
class Words {
  #names = new Map<string, string>();
  #values: Record<string, unknown> = {};

  /** `source.sequencer` → `#0.#1` */
  name(path: string): string {
    return path
      .split('.')
      .map((part) => {
        const known = this.#names.get(part) ?? `#${this.#names.size}`;
        this.#names.set(part, known);
        return known;
      })
      .join('.');
  }

  value(value: unknown): string {
    const placeholder = `:${Object.keys(this.#values).length}`;
    this.#values[placeholder] = value;
    return placeholder;
  }

  conditions(expect: Expectation): string[] {
    return Object.entries(expect).map(([name, value]) =>
      value === null ? `attribute_not_exists(${this.name(name)})` : `${this.name(name)} = ${this.value(value)}`,
    );
  }

  asInput(conditions: string[]): Omit<Input, 'Key' | 'UpdateExpression'> {
    return {
      ...(conditions.length > 0 && { ConditionExpression: conditions.join(' AND ') }),
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries(
          [...this.#names].map(([name, placeholder]) => [placeholder, name]),
        ),
      }),
      ...(Object.keys(this.#values).length > 0 && { ExpressionAttributeValues: this.#values }),
    };
  }
}

/** The condition of a query for every row of a range. */
export function within({ pk, skBegins }: RowRange) {
  return {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
    ExpressionAttributeValues: { ':pk': pk, ':sk': skBegins },
  };
}
