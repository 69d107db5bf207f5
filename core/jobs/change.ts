import type { Refused } from '../contracts/refused.ts';
import type { ArchivePolicyRow, ArchiveRow } from '../contracts/table/archive.ts';
import type { CollectionRow, CollectionTombstoneRow } from '../contracts/table/collections.ts';
import type { EngineRow, LoadRow } from '../contracts/table/engines.ts';
import type { BadKeyRow } from '../contracts/table/health.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { RowKey } from '../contracts/table/keys.ts';
import type { MediaRow, OldVersionRow, TombstoneRow, UploadRow } from '../contracts/table/media.ts';
import type { PresetRow, RollOutRow } from '../contracts/table/presets.ts';
import type { LeaseRow, SweepRow } from '../contracts/table/sweep.ts';
import type { BreakerRow, DeliveryRow, EndpointRow, PlaceRow } from '../contracts/table/webhooks.ts';

/** The result of a decision: writes that are made together or not at all, each with the expected state of its row. */

export type Value = string | number | boolean;

/** Rows that are updated in place. */
type AnyRow =
  | MediaRow
  | JobRow
  | OldVersionRow
  | TombstoneRow
  | UploadRow
  | CollectionRow
  | CollectionTombstoneRow
  | PresetRow
  | RollOutRow
  | SweepRow
  | BadKeyRow
  | LeaseRow
  | EngineRow
  | ArchiveRow
  | ArchivePolicyRow
  | LoadRow
  | EndpointRow
  | DeliveryRow
  | BreakerRow
  | PlaceRow;

type NameOf<Row> = Row extends unknown ? keyof Row & string : never;
type InnerName<Name extends string, Map> = Map extends readonly unknown[]
  ? never
  : Map extends object
    ? `${Name}.${keyof Map & string}`
    : never;
/** `a.b` names an attribute inside a map. */
type PathOf<Row> = Row extends unknown
  ? { [Name in keyof Row & string]: Name | InnerName<Name, NonNullable<Row[Name]>> }[keyof Row & string]
  : never;

/** Attributes of a row of the table, and the value each must have; null: it must be absent. */
export type Expectation<Row = AnyRow> = { readonly [Path in PathOf<Row>]?: Value | null };

/** Without expectations it creates the row if it does not exist. Values that are undefined are left unchanged. */
export interface Update<Row = AnyRow> {
  op: 'update';
  key: RowKey;
  expect: Expectation<Row>;
  set: { readonly [Name in NameOf<Row>]?: unknown };
  remove?: readonly NameOf<Row>[];
}

/** Only if no row has that key. */
export interface Put {
  op: 'put';
  key: RowKey;
  row: object;
}

/** Removes the row; without expectations the row may already be gone. */
export interface Remove {
  op: 'remove';
  key: RowKey;
  expect: Expectation;
}

/** Makes a change conditional on a row that it does not write. */
export interface Check {
  op: 'check';
  key: RowKey;
  expect: Expectation;
}

/** Adds to counts; one with a `max` may not exceed it. Creates the row if it does not exist. */
export interface Add {
  op: 'add';
  key: RowKey;
  amounts: Readonly<Record<string, number>>;
  max: Readonly<Record<string, number>>;
  set: Readonly<Record<string, unknown>>;
}

export type Write = Update | Put | Remove | Check | Add;
export type Change = readonly Write[];

/** A change to make, or the reason why there is none. */
export type Outcome<More extends object = object> = ({ change: Change } & More) | Refused;
