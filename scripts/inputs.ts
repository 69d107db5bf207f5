import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** All that a build and a synthesis read. Packages are named by the lockfile. */
const INPUTS = [
  ...['aws', 'bin', 'client', 'cli', 'containers', 'core', 'engines', 'functions', 'lib', 'scripts', 'web'],
  ...['cdk.json', 'cdk.context.json', 'package.json', 'package-lock.json', 'tsconfig.json'],
];

/** A hash of the files, and their names, that a build and a synthesis read below `root`. */
export function hashOfInputs(root: string): Promise<string> {
  return hashOf(root, INPUTS);
}

/** A hash of the template and its manifest. `cdk` writes another template there when it has another context. */
export async function hashOfTemplate(root: string): Promise<string> {
  const names = await readdir(join(root, 'cdk.out')).catch(() => []);
  const written = names.filter((name) => name.endsWith('.json')).sort();
  return hashOf(
    root,
    written.map((name) => join('cdk.out', name)),
  );
}

async function hashOf(root: string, names: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) {
    for (const file of await filesOf(root, name)) {
      const content = await readFile(join(root, file));
      hash.update(`${file}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

/** The files of a folder at any depth, or the file itself, as paths below `root`; none where it does not exist. */
async function filesOf(root: string, name: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, name), { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'));
    return files.map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return [name];
    if (code === 'ENOENT') return [];
    throw error;
  }
}
