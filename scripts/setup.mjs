/**
 * Prepares a fresh clone for the scripts, and prints its steps: the dependencies, the local DynamoDB and ffmpeg. Uses Node's own modules
 * only, because nothing else is installed yet. All its output goes to stderr. `npm run setup` does all of it; before a system package is
 * installed a person is asked, `-- --yes` is the answer.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
// Binaries by platform stay out of the lockfile: npm ci refuses a lockfile whose platform packages a registry lacks.
const DYNOXIDE = `@dynoxide/${process.platform}-${process.arch}`;
const DYNOXIDE_VERSION = '1.2.1';
const OLDEST_FFMPEG = 5.1;

const say = (line) => process.stderr.write(`set-up: ${line}\n`);

class SetUpError extends Error {}

/** Runs a command with its output on stderr; throws with `hint` when it fails. */
function run([command, ...args], hint) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: false });
  if (result.status !== 0) throw new SetUpError(`\`${[command, ...args].join(' ')}\` failed. ${hint}`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetUpError(`Node ${process.versions.node} is too old: dropreel needs Node 20.19 or newer.`);
  }
}

/** @param database also installs the local DynamoDB. */
function installDependencies({ database }) {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const stamp = join(ROOT, 'node_modules', '.dropreel-set-up');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    say('installing the dependencies with npm ci (about half a minute)');
    run(['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'], 'Is the npm registry reachable?');
    writeFileSync(stamp, lock);
  }
  if (database && !existsSync(join(ROOT, 'node_modules', DYNOXIDE, 'package.json'))) {
    say(`installing the local DynamoDB (${DYNOXIDE} ${DYNOXIDE_VERSION})`);
    run(
      ['npm', 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${DYNOXIDE}@${DYNOXIDE_VERSION}`],
      'Is the npm registry reachable? Set DROPREEL_DYNAMODB_ENDPOINT to use another DynamoDB Local.',
    );
  }
}

/** The version as a number (7.1), null when the program is missing, Infinity for a build without a release number. */
function ffmpegVersion(program) {
  const result = spawnSync(program, ['-version'], { encoding: 'utf8' });
  if (result.status !== 0) return null;
  const match = /version n?(\d+\.\d+)/.exec(result.stdout);
  return match ? Number(match[1]) : Number.POSITIVE_INFINITY;
}

const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

const isRoot = process.getuid?.() === 0;
const onTerminal = Boolean(process.stdin.isTTY && process.stderr.isTTY);

/**
 * Whether the machine's packages may be changed. Root without a terminal is a container or a build machine. Another user without a
 * terminal cannot be asked, so the command is printed.
 * @param command what would be run
 */
function mayInstall(command, yes) {
  if (yes || process.env.CI) return true;
  if (!onTerminal) return isRoot;
  process.stderr.write(`set-up: may \`${command}\` be run? [y/N] `);
  const terminal = openSync('/dev/tty', 'r');
  try {
    const answer = Buffer.alloc(100);
    const length = readSync(terminal, answer);
    return /^y(es)?$/i.test(answer.toString('utf8', 0, length).trim());
  } finally {
    closeSync(terminal);
  }
}

/** @throws SetUpError when it may not be installed, or the installation fails */
function systemInstall(manager, packages, yes) {
  const sudo = isRoot || manager === 'brew' ? [] : onTerminal ? ['sudo'] : ['sudo', '-n'];
  const install =
    manager === 'brew'
      ? ['brew', 'install', ...packages]
      : ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages];
  const name = packages.join(' ');
  const typed = [...sudo, ...install].join(' ');
  if (!mayInstall(typed, yes)) throw new SetUpError(`Missing: ${name}. Run \`${typed}\`, or this with \`-- --yes\`.`);
  say(`installing ${name}: ${typed}`);
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  const hint = `Install ${name} yourself.`;
  if (manager === 'apt-get') run([...sudo, 'apt-get', 'update', '-qq'], hint);
  run([...sudo, ...install], hint);
}

/** The package manager that is used here, undefined where none is known. */
function packageManager() {
  if (process.platform === 'linux' && has('apt-get')) return 'apt-get';
  return process.platform === 'darwin' && has('brew') ? 'brew' : undefined;
}

function installFfmpeg(yes) {
  const programs = [process.env.FFMPEG_PATH || 'ffmpeg', process.env.FFPROBE_PATH || 'ffprobe'];
  const missing = () => programs.filter((program) => ffmpegVersion(program) === null);
  const manager = packageManager();
  if (missing().length > 0 && manager) systemInstall(manager, ['ffmpeg'], yes);
  const still = missing();
  if (still.length > 0) {
    throw new SetUpError(`${still.join(' and ')} not found. Install ffmpeg, or set FFMPEG_PATH and FFPROBE_PATH.`);
  }
  const version = ffmpegVersion(programs[0]);
  if (version < OLDEST_FFMPEG)
    throw new SetUpError(`ffmpeg ${version} is too old: ${OLDEST_FFMPEG} or newer is needed.`);
}

/** What only tests run: a browser, the shells that the completions are for, what README's examples use, and a compiler for drivers that fail. */
const FOR_TESTS = ['chromium', 'zsh', 'fish', 'curl', 'jq', 'gcc'];
/** Notes that a person does not want them, so that each run of the tests does not ask again. */
const WITHOUT = join(ROOT, 'node_modules', '.dropreel-without-test-programs');

/** The tests of a program that is missing and may not be installed are skipped; with CI set, most fail. */
function installForTests(yes) {
  if (packageManager() !== 'apt-get' || (!yes && existsSync(WITHOUT))) return;
  const missing = FOR_TESTS.filter((name) => !has(name) && !(name === 'chromium' && process.env.CHROMIUM_PATH));
  if (missing.length === 0) return;
  try {
    systemInstall('apt-get', missing, yes);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(`${error.message} Without it their tests are skipped.`);
    writeFileSync(WITHOUT, '');
  }
}

/**
 * @param options.cloud also installs what the local cloud runs on, the database and ffmpeg: a deployment needs neither.
 * @param options.tests also installs what only tests run.
 * @param options.yes installs system packages without asking.
 * @returns whether the machine is ready; prints the reason when not.
 */
export function setUp({ cloud, tests, yes }) {
  try {
    checkNode();
    installDependencies({ database: cloud });
    if (cloud) installFfmpeg(yes);
    if (tests) installForTests(yes);
    return true;
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(error.message);
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(WITHOUT, { force: true });
  const ready = setUp({ cloud: true, tests: true, yes: process.argv.includes('--yes') });
  if (ready) say('all is there');
  process.exit(ready ? 0 : 1);
}
