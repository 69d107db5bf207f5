/** `npm run check`: format, lint, types, import directions, unused code, and the template, each to its end; exit 1 when one fails. */
import { execa } from 'execa';
import { synthesize } from './synth.ts';

const CHECKS: [string, string, string[]][] = [
  ['format and lint', 'npx', ['biome', 'ci', '.']],
  ['types', 'npx', ['tsc', '--noEmit', '-p', '.']],
  ['types of the player', 'npx', ['tsc', '--noEmit', '-p', 'web']],
  ['import directions', 'node', ['--import', 'tsx', 'scripts/check-imports.ts']],
  ['unused exports, files and packages', 'npx', ['knip']],
  ['regular expressions', 'node', ['--import', 'tsx', 'scripts/check-regex.ts']],
  ['template', 'node', ['--import', 'tsx', 'scripts/check-template.ts']],
];

const say = (line: string) => process.stderr.write(`${line}\n`);
await synthesize(say);
const failed: string[] = [];
for (const [title, command, args] of CHECKS) {
  say(`check: ${title}`);
  const { exitCode } = await execa(command, args, { stdio: 'inherit', reject: false });
  if (exitCode !== 0) failed.push(title);
}
say(failed.length === 0 ? 'check: all is well' : `check: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
