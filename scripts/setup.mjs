/**
 * Brings a fresh clone to where the scripts can run, and says what it does: the dependencies, the local DynamoDB and
 * ffmpeg. Uses Node's own modules only, for nothing else is there yet. Everything it says goes to stderr.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
function run(command, args, hint) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: false });
  if (result.status !== 0) throw new SetUpError(`\`${[command, ...args].join(' ')}\` failed. ${hint}`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetUpError(`Node ${process.versions.node} is too old: dropreel needs Node 20.19 or newer.`);
  }
}

function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const stamp = join(ROOT, 'node_modules', '.dropreel-set-up');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    say('installing the dependencies with npm ci (about half a minute)');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'Is the npm registry reachable?');
    writeFileSync(stamp, lock);
  }
  if (!existsSync(join(ROOT, 'node_modules', DYNOXIDE, 'package.json'))) {
    say(`installing the local DynamoDB (${DYNOXIDE} ${DYNOXIDE_VERSION})`);
    run(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${DYNOXIDE}@${DYNOXIDE_VERSION}`],
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

function aptInstall(name) {
  say(`installing Debian's ${name} with apt-get`);
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  const hint = `Run \`sudo apt-get install ${name}\` yourself.`;
  const [command, ...first] = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get'];
  run(command, [...first, 'update', '-qq'], hint);
  run(command, [...first, 'install', '-y', '-qq', '--no-install-recommends', name], hint);
}

function installFfmpeg() {
  const programs = [process.env.FFMPEG_PATH || 'ffmpeg', process.env.FFPROBE_PATH || 'ffprobe'];
  const missing = () => programs.filter((program) => ffmpegVersion(program) === null);
  if (missing().length > 0) {
    if (process.platform === 'linux' && has('apt-get')) {
      aptInstall('ffmpeg');
    } else if (process.platform === 'darwin' && has('brew')) {
      say('installing ffmpeg with Homebrew');
      run('brew', ['install', 'ffmpeg'], 'Install ffmpeg yourself, or set FFMPEG_PATH and FFPROBE_PATH.');
    }
  }
  const still = missing();
  if (still.length > 0) {
    throw new SetUpError(`${still.join(' and ')} not found. Install ffmpeg, or set FFMPEG_PATH and FFPROBE_PATH.`);
  }
  const version = ffmpegVersion(programs[0]);
  if (version < OLDEST_FFMPEG)
    throw new SetUpError(`ffmpeg ${version} is too old: ${OLDEST_FFMPEG} or newer is needed.`);
}

/** The browser test is skipped where there is no Chromium and none can be installed. */
function installChromium() {
  if (process.env.CHROMIUM_PATH || has('chromium') || process.platform !== 'linux' || !has('apt-get')) return;
  try {
    aptInstall('chromium');
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(`${error.message} Without it the browser test is skipped.`);
  }
}

/**
 * @param options.browser also installs Chromium, for the test that plays a result.
 * @returns whether the machine is ready; says why when not.
 */
export function setUp({ browser }) {
  try {
    checkNode();
    installDependencies();
    installFfmpeg();
    if (browser) installChromium();
    return true;
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(error.message);
    return false;
  }
}
