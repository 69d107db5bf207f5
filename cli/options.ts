import { InvalidArgumentError, Option } from 'commander';
import { EngineChoice } from '../core/contracts/engines.ts';
import { MediaId } from '../core/contracts/ids.ts';

/**
 * Reads the argument of an option.
 * @throws InvalidArgumentError unless it is a whole number in the range
 */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (text.trim() === '' || !Number.isInteger(n) || n < least || n > most) {
      throw new InvalidArgumentError(
        most === Number.MAX_SAFE_INTEGER ? `takes a number from ${least}.` : `takes ${least} to ${most}.`,
      );
    }
    return n;
  };
}

/**
 * Reads an amount, or `none`.
 * @throws InvalidArgumentError for anything else
 */
export function amount(text: string): number | null {
  if (text === 'none') return null;
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new InvalidArgumentError('takes an amount as 20 or 0.50, or `none`.');
}

export function engineOption(description: string): Option {
  return new Option('--engine <name>', description).choices(EngineChoice.options);
}

/**
 * Reads the id of a media item.
 * @throws InvalidArgumentError for what can be none
 */
export function mediaId(text: string): string {
  if (MediaId.safeParse(text).success) return text;
  throw new InvalidArgumentError('a media id has 26 lower-case letters and digits, as `dropreel ls` shows them.');
}

/**
 * Reads a time for the API: ISO 8601 with an offset, or a date alone.
 * @throws InvalidArgumentError for anything else
 */
export function time(text: string): string {
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const known = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(full) && /(Z|[+-]\d\d:\d\d)$/.test(full);
  const at = new Date(full);
  if (!known || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError('takes a time as 2026-11-28T14:30:00Z, or a date as 2026-11-28.');
  }
  return at.toISOString();
}

/** Without the entries that are undefined. */
export function given<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
