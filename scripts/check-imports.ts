/** `node --import tsx scripts/check-imports.ts`: says which file imports what its folder may not. */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';

/** What the modules of a folder may import, by the beginning of a path from the root. A folder that is not here may import anything. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: ['core/'],
  aws: ['core/', 'aws/'],
  functions: ['core/', 'aws/', 'functions/shared/'],
  containers: ['core/', 'aws/'],
  lib: ['core/contracts/', 'core/media/presets.ts', 'core/jobs/errors.ts', 'lib/'],
  bin: ['lib/', 'bin/'],
  local: ['core/contracts/', 'local/'],
  cli: ['core/contracts/', 'cli/'],
  web: ['core/contracts/', 'web/'],
};

/** In these, one program is one folder, which may import itself but not its neighbour. */
const PROGRAM_FOLDERS = new Set(['functions', 'containers']);
const CORE_PACKAGES = new Set(['zod']);

/** What core may not reach for: the results would depend on more than the arguments. */
const IMPURE = [/\bprocess\./, /\bDate\.now\(/, /\bnew Date\(\)/, /\bMath\.random\(/, /\bcrypto\.randomUUID\(/];

const IMPORT = /^\s*(?:import|export)\s(?:[\w\s{},*$]*?\sfrom\s*)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

/** @param file from the root, with slashes. @returns one line for each import that is not allowed. */
export function checkModule(file: string, source: string): string[] {
  const [folder = '', program = ''] = file.split('/');
  const allowed = ALLOWED[folder];
  if (!allowed) return [];
  const code = source.replace(COMMENT, '');
  const ownProgram = PROGRAM_FOLDERS.has(folder) ? [`${folder}/${program}/`] : [];
  const refused = [...code.matchAll(IMPORT)]
    .map(([, fixed, dynamic]) => fixed ?? dynamic ?? '')
    .filter((specifier) => {
      if (!specifier.startsWith('.')) return folder === 'core' && !CORE_PACKAGES.has(specifier);
      const target = posix.join(posix.dirname(file), specifier);
      return ![...allowed, ...ownProgram].some((prefix) => target.startsWith(prefix));
    });
  const impure =
    folder === 'core' ? IMPURE.map((pattern) => pattern.exec(code)?.[0]).filter((text) => text !== undefined) : [];
  return [...refused, ...impure].map((what) => `${file} → ${what}`);
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
