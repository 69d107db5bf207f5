/** `node --import tsx scripts/check-imports.ts`: lists the files that import what their folder may not. */
import { readdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import localCloud from '../local/package.json' with { type: 'json' };

/** What the modules of a folder may import, by the beginning of a path from the root; `*` is any one folder. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['core/contracts/', 'core/time.ts'],
  aws: ['core/', 'aws/'],
  engines: ['core/', 'aws/', 'engines/'],
  functions: ['core/', 'aws/', 'engines/', 'functions/shared/'],
  containers: ['core/', 'aws/', 'engines/'],
  // Of an engine, only the names that its construct and its code share; and the rule that synthesis and the archive hold buckets to.
  lib: ['core/contracts/', 'core/archive/lifecycle.ts', 'engines/*/names.ts', 'lib/'],
  bin: ['lib/', 'bin/'],
  // A separate package.
  local: ['local/'],
  // The operations with their schemas, but not the rules behind the routes.
  client: ['core/api/operation', 'core/contracts/', 'client/'],
  // And the rules of streams with what reads boxes: they are pure, and for any stream.
  // And the archive's rules and its encode, which a folder's edition runs on the machine itself.
  cli: [
    ...[
      'client/',
      'core/contracts/',
      'core/media/hls-rules/',
      'core/media/boxes.ts',
      'core/archive/',
      'core/time.ts',
      'cli/',
    ],
    ...['containers/transcoder/archive/', 'containers/transcoder/ffmpeg/run.ts'],
  ],
  // And the rule of the ladder, which is pure, for the preview of a preset.
  web: ['client/', 'core/api/operation', 'core/contracts/', 'core/media/ladder.ts', 'web/'],
  // And what the worker's image contains.
  scripts: ['core/', 'local/', 'cli/', 'scripts/', 'test/support/', 'cdk.json', 'lib/engines/batch/worker-image.ts'],
  bench: ['core/', 'aws/', 'engines/', 'functions/', 'containers/', 'local/', 'scripts/', 'bench/', 'test/support/'],
  // Everything but bench.
  test: [
    'core/',
    'aws/',
    'engines/',
    'functions/',
    'containers/',
    'lib/',
    'bin/',
    'local/',
    'client/',
    'cli/',
    'web/',
    'scripts/',
    'test/',
    'cdk.json',
  ],
};

/** In these, each folder is a room (of core) or a program: it may import itself but not its neighbour. */
const ROOMS = new Set(['core', 'functions', 'containers']);

/** npm lays out the packages of all workspaces in one place, so that an undeclared one is found as well. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: ['zod'],
  // It also runs in a browser.
  client: ['zod'],
  local: Object.keys(localCloud.dependencies),
  'local/test': Object.keys({ ...localCloud.dependencies, ...localCloud.devDependencies }),
};

/** What core may not use, because the results would depend on more than the arguments. */
const IMPURE = [/\bprocess\./, /\bDate\.now\(/, /\bnew Date\(\)/, /\bMath\.random\(/, /\bcrypto\.randomUUID\(/];

const IMPORT = /^\s*(?:import|export)\s(?:[\w\s{},*$]*?\sfrom\s*)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

function beginsWith(target: string, prefix: string): boolean {
  const parts = prefix.split('*').map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('[^/]+')}`).test(target);
}

/**
 * @param file from the root, with slashes
 * @returns one line for each import that is not allowed
 */
export function checkModule(file: string, source: string): string[] {
  const [folder = '', room = ''] = file.split('/');
  const allowed = ALLOWED[folder];
  if (!allowed) return [];
  const code = source.replace(COMMENT, '');
  const ownRoom = ROOMS.has(folder) ? [`${folder}/${room}/`] : [];
  const packages = PACKAGES[`${folder}/${room}`] ?? PACKAGES[folder];
  const refused = [...code.matchAll(IMPORT)]
    .map(([, fixed, dynamic]) => fixed ?? dynamic ?? '')
    .filter((specifier) => {
      if (!specifier.startsWith('.')) return packages !== undefined && !mayUse(folder, packages, specifier);
      const target = posix.join(posix.dirname(file), specifier);
      if (folder === 'local' && room !== 'test' && target.startsWith('local/test/')) return true;
      return ![...allowed, ...ownRoom].some((prefix) => beginsWith(target, prefix));
    });
  const impure =
    folder === 'core' ? IMPURE.map((pattern) => pattern.exec(code)?.[0]).filter((text) => text !== undefined) : [];
  return [...refused, ...impure].map((what) => `${file} → ${what}`);
}

function mayUse(folder: string, packages: readonly string[], specifier: string): boolean {
  if (isBuiltin(specifier)) return folder !== 'core' && folder !== 'client';
  // Part of a program that is written as text.
  if (specifier.startsWith('${')) return true;
  return packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

export async function checkImports(root: string): Promise<string[]> {
  const lines = await Promise.all(
    Object.keys(ALLOWED).map(async (folder) => {
      const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
      const modules = entries.filter((entry) => /\.(ts|mjs)$/.test(entry)).sort();
      return Promise.all(
        modules.map(async (module) =>
          checkModule(posix.join(folder, module), await readFile(join(root, folder, module), 'utf8')),
        ),
      );
    }),
  );
  return lines.flat(2);
}

if (import.meta.filename === process.argv[1]) {
  const lines = await checkImports(join(import.meta.dirname, '..'));
  for (const line of lines) process.stdout.write(`${line}\n`);
  process.exitCode = lines.length === 0 ? 0 : 1;
}
