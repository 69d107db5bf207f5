import type { RowKey } from '../contracts/rows.ts';

/** What a decision comes to: writes that are made together or not at all, each naming what it leaves. */

export type Value = string | number | boolean;

/** Attributes, `a.b` for one inside a map, and the value each must have; null: it must be absent. */
export type Expectation = Readonly<Record<string, Value | null>>;

/** Without expectations it makes the row where there is none. Values that are undefined are left as they are. */
export interface Update {
  op: 'update';
  key: RowKey;
  expect: Expectation;
  set: Readonly<Record<string, unknown>>;
  remove?: readonly string[];
}

/** Only where there is no row of that key. */
export interface Put {
  op: 'put';
  key: RowKey;
  row: object;
}

/** Removes the row; without expectations it may be gone already. */
export interface Remove {
  op: 'remove';
  key: RowKey;
  expect: Expectation;
}

/** Holds a change to a row that it does not touch. */
export interface Check {
  op: 'check';
  key: RowKey;
  expect: Expectation;
}

export type Write = Update | Put | Remove | Check;
export type Change = readonly Write[];

/** A change to make, or why there is none. */
export type Outcome<More extends object = object> = ({ change: Change } & More) | { none: string };
