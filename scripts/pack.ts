/** `npm run pack`: builds the package `dropreel` and packs it into dist/. Prints the archive's path: `npm install -g "$(npm run -s pack)"`. */
import { join } from 'node:path';
import { execa } from 'execa';
import { buildCommand } from './build-command.ts';

await buildCommand('dist/dropreel');
const { stdout } = await execa('npm', ['pack', './dist/dropreel', '--json', '--pack-destination', 'dist']);
const [packed] = JSON.parse(stdout) as { filename: string }[];
process.stdout.write(`${join(import.meta.dirname, '../dist', packed?.filename ?? '')}\n`);
