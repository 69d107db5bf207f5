/** Helpers for changes that a service refuses: see ResourceType.refusedChanges. */
import { isDeepStrictEqual } from 'node:util';

type Properties = Readonly<Record<string, unknown>>;

/** The names whose value has changed. */
export function changedOf(old: Properties, now: Properties, names: readonly string[]): string[] {
  return names.filter((name) => !isDeepStrictEqual(old[name], now[name]));
}

/** The items of a list by their property `key`; empty for other values. */
export function itemsByName(list: unknown, key: string): Map<string, unknown> {
  return new Map(Array.isArray(list) ? list.map((item) => [String(recordOf(item)[key]), item]) : []);
}

/** The object, or an empty one for other values. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
