/** `node scripts/start.mjs SCRIPT.ts [ARG…]`: sets the clone up, then runs the script with the same terminal and exit code. */
import { spawn } from 'node:child_process';
import { setUp } from './setup.mjs';

const [script, ...args] = process.argv.slice(2);
if (!script) throw new Error('usage: node scripts/start.mjs SCRIPT.ts [ARG…]');
if (!setUp({ browser: script === 'scripts/test.ts' })) process.exit(1);

// The SDK warns of the Node versions it will drop; dropreel says itself which it needs.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: 'inherit' });
// The terminal sends Ctrl-C to the child as well; it decides when to end.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
