/** Bundles the functions, the worker, the console and the player into dist/, which the CDK app deploys and the local cloud runs, and the command. */
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { buildCommand } from './build-command.ts';
import { buildConsole } from './build-console.ts';
import { forBrowser, forNode } from './esbuild.ts';

/** Bundles a function's handler, and the programs that it starts as separate processes: `NAME.child.ts`. */
export async function buildFunction(name: string, outdir: string): Promise<void> {
  const children = (await readdir(`functions/${name}`)).filter((file) => file.endsWith('.child.ts'));
  const entries = [['index', 'handler.ts'], ...children.map((file) => [file.slice(0, -'.ts'.length), file])];
  await build({
    ...forNode,
    entryPoints: Object.fromEntries(entries.map(([out = '', file = '']) => [out, `functions/${name}/${file}`])),
    outdir,
    outExtension: { '.js': '.mjs' },
  });
}

export async function buildAll(): Promise<void> {
  await rm('dist', { recursive: true, force: true });
  const functions = (await readdir('functions', { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map((entry) => entry.name);
  await Promise.all(['dist/transcoder', 'dist/player'].map((folder) => mkdir(folder, { recursive: true })));
  await Promise.all([
    ...functions.map((name) => buildFunction(name, `dist/functions/${name}`)),
    build({ ...forNode, entryPoints: ['containers/transcoder/main.ts'], outfile: 'dist/transcoder/main.mjs' }),
    cp('containers/transcoder/Dockerfile', 'dist/transcoder/Dockerfile'),
    build({ ...forBrowser, entryPoints: ['web/player/player.ts'], outfile: 'dist/player/player.js' }),
    cp('web/player/index.html', 'dist/player/index.html'),
    cp('web/player/icon.svg', 'dist/player/icon.svg'),
    buildCommand('dist/dropreel'),
    buildConsole('dist/functions/serve-pages/console'),
  ]);
}

if (import.meta.filename === process.argv[1]) await buildAll();
