/** `node scripts/start.mjs SCRIPT.ts [ARG…]`: sets the clone up, then runs the script with the same terminal and exit code. `--yes` is for the set-up. */
import { spawn } from 'node:child_process';
import { setUp } from './setup.mjs';

/** Scripts that boot no local cloud: a build machine that deploys needs neither ffmpeg nor a way to install it. */
const WITHOUT_CLOUD = [
  ...['scripts/synth.ts', 'scripts/deploy.ts', 'scripts/check.ts', 'scripts/pack.ts'],
  'cli/dropreel.mjs',
];

const [script, ...given] = process.argv.slice(2);
const yes = given.includes('--yes');
const args = given.filter((arg) => arg !== '--yes');
if (!script) throw new Error('usage: node scripts/start.mjs SCRIPT.ts [ARG…]');
if (!setUp({ cloud: !WITHOUT_CLOUD.includes(script), tests: script === 'scripts/test.ts', yes })) process.exit(1);

// The SDK warns of the Node versions that it will drop; dropreel itself states which it needs.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: 'inherit' });
// The terminal sends Ctrl-C to the child as well; it decides when to end.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
