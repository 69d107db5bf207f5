import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { regexLiterals } from '../../scripts/check-regex.ts';

/** What meets the bytes and texts of strangers; the local cloud is fed by its own template, which may be slow. */
const FOLDERS = ['core', 'functions', 'containers', 'aws', 'cli', 'local'];
/** As much of a file as is sniffed, and more than any text of a request that a pattern meets. */
const LENGTH = 4096;
/** Thousands of times what a pattern takes that reads a text once; a loaded machine may be slow. */
const LIMIT_MS = 5000;

const patterns = (await regexLiterals(join(import.meta.dirname, '../..')))
  .filter(({ file }) => FOLDERS.includes(file.split('/')[0] ?? ''))
  .map(({ file, pattern }): [string, RegExp] => [`${file} ${pattern}`, pattern]);

/** Characters of each class that patterns name: what a repeat of a class reads. */
const PLAIN = ['a', 'Z', '0', ' ', '\t', '\n', '.', '-', '_', '/', ':', ',', '<', '"', '#', '=', '\u200b', '\x1b['];

/** Repeats of plain characters and of pieces of the pattern itself, two by two, each with an end that it does not take. */
function hostileTexts(pattern: RegExp): string[] {
  const pieces = [...new Set(pattern.source.match(/[\w<>!;#"'/=-]+/g) ?? [])].slice(0, 16);
  const pairs = pieces.flatMap((one) => pieces.map((other) => one + other));
  return [...new Set([...PLAIN, ...pieces, ...pairs])]
    .filter((text) => text.length > 0)
    .map((text) => `${text.repeat(Math.ceil(LENGTH / text.length)).slice(0, LENGTH)}\u0000!`);
}

test.each(patterns)('%s ends in time for every hostile text', (_, pattern) => {
  const texts = hostileTexts(pattern);
  // A run that is stopped throws ERR_SCRIPT_EXECUTION_TIMEOUT.
  const found = runInNewContext(
    'texts.map((text) => new RegExp(source, flags).test(text)).length',
    { texts, source: pattern.source, flags: pattern.flags },
    { timeout: LIMIT_MS },
  );
  expect(found).toBe(texts.length);
});
