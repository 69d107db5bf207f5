import { InvalidArgumentError, Option } from 'commander';
import { EngineChoice } from '../core/contracts/engines.ts';

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

export function engineOption(description: string): Option {
  return new Option('--engine <name>', description).choices(EngineChoice.options);
}

/** Without the entries that are undefined. */
export function given<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
