/**
 * `node --import tsx scripts/check-regex.ts`: lists the product's regular expressions that a hostile text can make backtrack. Nested
 * quantifiers take exponential time, neighbours of one alphabet polynomial time; both are refused.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { tokenizer, tokTypes } from 'acorn';
import { transform } from 'esbuild';
import { isSafe } from 'redos-detector';

const FOLDERS = ['aws', 'bin', 'cli', 'containers', 'core', 'functions', 'lib', 'local', 'web'];
/** Ways to read one text, by redos-detector's count: a bounded pattern may have some hundreds, and one beyond this is never linear. */
const MAX_SCORE = 300;

/**
 * Patterns that take at most quadratic time, and why their input cannot get long. A line whose pattern no longer exists is an error too.
 * Patterns with nested quantifiers are not permitted here.
 */
export const QUADRATIC: Readonly<Record<string, string>> = {
  '/=+$/': 'of a cursor that is made here',
  '/^[.\\s]+|[.\\s]+$/g': 'of a file name, at most 1,024 bytes',
  '/^(.*:)([0-9.]+)$/': 'of an IP address',
  '/\\{\\w+\\}/g': 'of the product’s own routes',
  '/\\{(\\w+)\\}/g': 'of the product’s own routes',
  '/[^/]+$/': 'of a queue’s address, from the environment',
  '/\\/+$/': 'of an address that its user typed',
  '/:\\d+$/': 'of a name of the template',
  '/\\.s3[.-].*$/': 'of a name of the template',
  '/\\\\.|"|<([A-Za-z0-9._-]+)>/g': 'of the template',
  '/\\.\\d+Z$/': 'of a time that is made here',
  '/^(.+)\\.localhost(:\\d+)?$/': 'of a header Host, at most 16 KiB with all others',
  '/^(?:(ForAnyValue|ForAllValues):)?(.*)$/': 'of the template',
  '/&(?:#x([0-9a-fA-F]{1,6})|#(\\d{1,7})|(\\w+));/g': 'of the body of a signed request',
  '/\\$\\{([^}]*)\\}/g': 'of the template',
};

export interface FoundRegex {
  /** From the root, with slashes. */
  file: string;
  pattern: RegExp;
}

/** Every regular expression literal in the product's TypeScript. */
export async function regexLiterals(root: string): Promise<FoundRegex[]> {
  const found: FoundRegex[] = [];
  for (const folder of FOLDERS) {
    const entries = await readdir(join(root, folder), { recursive: true });
    // A package of the workspace contains its tests and its node_modules.
    const modules = entries.filter((name) => name.endsWith('.ts') && !/^(?:test|node_modules)\//.test(name));
    for (const entry of modules.sort()) {
      const file = posix.join(folder, entry);
      found.push(...(await literalsIn(file, await readFile(join(root, file), 'utf8'))));
    }
  }
  return found;
}

async function literalsIn(file: string, source: string): Promise<FoundRegex[]> {
  const { code } = await transform(source, { loader: 'ts', target: 'esnext' });
  const tokens = [...tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' })];
  return tokens.flatMap((token) => {
    if (token.type !== tokTypes.regexp) return [];
    const { pattern, flags } = (token as unknown as { value: { pattern: string; flags: string } }).value;
    return [{ file, pattern: new RegExp(pattern, flags) }];
  });
}

/** @returns one line for each pattern that backtracks. */
export async function checkSource(file: string, source: string): Promise<string[]> {
  return (await literalsIn(file, source)).filter(isRefused).map(lineOf);
}

export async function checkRegex(root: string): Promise<string[]> {
  const found = await regexLiterals(root);
  const texts = new Set(found.map(({ pattern }) => String(pattern)));
  const stale = Object.keys(QUADRATIC).filter((text) => !texts.has(text));
  return [
    ...found.filter(isRefused).map(lineOf),
    ...stale.map((text) => `scripts/check-regex.ts: ${text} is on the list, and nowhere in the product`),
  ];
}

function isRefused({ pattern }: FoundRegex): boolean {
  return !Object.hasOwn(QUADRATIC, String(pattern)) && !isSafe(pattern, { maxScore: MAX_SCORE }).safe;
}

function lineOf({ file, pattern }: FoundRegex): string {
  return `${file}: ${pattern} can be read in many ways: a hostile text makes it backtrack`;
}

if (import.meta.filename === process.argv[1]) {
  const lines = await checkRegex(join(import.meta.dirname, '..'));
  for (const line of lines) process.stdout.write(`${line}\n`);
  process.exitCode = lines.length === 0 ? 0 : 1;
}
