import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Programs that the set-up finds, and nothing else: a package manager that writes down what it is asked for. */
let bin: string;
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'dropreel-setup-'));
  await chmod(bin, 0o777);
  await mkdir(join(bin, 'out'), { mode: 0o777 });
  await chmod(join(bin, 'out'), 0o777);
  await symlink(process.execPath, join(bin, 'node'));
  await symlink('/bin/sh', join(bin, 'sh'));
  // Each call is a line; `sudo` runs what it is given.
  await program('apt-get', `[ "$1" = --version ] || echo "apt-get $*" >> ${bin}/out/calls`);
  await program('sudo', 'case "$1" in -*) shift ;; esac; exec "$@"');
});
afterEach(() => rm(bin, { recursive: true, force: true }));

async function program(name: string, text: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

const calls = () =>
  readFile(join(bin, 'out/calls'), 'utf8').then(
    (text) => text.trim().split('\n'),
    () => [],
  );

const INSTALLED = ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends ffmpeg'];
/** Of util-linux: runs a command on a terminal of its own. */
const SCRIPT = '/usr/bin/script';
/** Set-up for a script that boots a cloud; what follows it is not reached, because the fake installs nothing. */
const SETUP = `import { setUp } from ${JSON.stringify(join(process.cwd(), 'scripts/setup.mjs'))}; process.exit(setUp({ cloud: true, tests: false, yes: process.argv.includes('--yes') }) ? 0 : 1);`;
const args = (...more: string[]) => ['--input-type=module', '-e', SETUP, '--', ...more];
const env = (more: Record<string, string> = {}) =>
  ({ env: { PATH: bin, ...more }, extendEnv: false, reject: false }) as const;

describe.skipIf(process.platform !== 'linux')('before it installs a system package, the set-up', () => {
  it.each([
    ['--yes', ['--yes'], {}],
    ['CI', [], { CI: 'true' }],
  ])('accepts %s as an answer', async (_what, more, variables) => {
    const { exitCode, stderr } = await execa('node', args(...more), { ...env(variables), stdin: 'ignore' });
    expect([exitCode, await calls()]).toEqual([1, INSTALLED]);
    expect(stderr).toContain('ffmpeg and ffprobe not found');
  });

  it.runIf(process.getuid?.() === 0)('does not ask where root has no terminal, as in a container', async () => {
    await execa('node', args(), { ...env(), stdin: 'ignore' });
    expect(await calls()).toEqual(INSTALLED);
  });

  it('shows another user without a terminal the command, and runs nothing', async () => {
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { exitCode, stderr } = await execa('node', args(), { ...env(), ...user, stdin: 'ignore' });
    expect([exitCode, await calls()]).toEqual([1, []]);
    expect(stderr).toContain('Missing: ffmpeg. Run `sudo -n apt-get install -y -qq --no-install-recommends ffmpeg`');
  });

  const onTerminal = existsSync(SCRIPT);
  it.runIf(onTerminal).each([
    ['y', INSTALLED],
    ['n', []],
    ['', []],
  ])('asks on a terminal, and accepts «%s»', async (answer, expected) => {
    const file = join(bin, 'run.mjs');
    await writeFile(file, SETUP);
    const { stdout } = await execa(SCRIPT, ['-qec', `node ${file}`, '/dev/null'], { ...env(), input: `${answer}\n` });
    expect(stdout).toContain('be run? [y/N]');
    expect(await calls()).toEqual(expected);
  });
});

it("npm's error is shown when the dependencies cannot be installed", async () => {
  await mkdir(join(bin, 'clone/scripts'), { recursive: true });
  await writeFile(join(bin, 'clone/scripts/setup.mjs'), await readFile('scripts/setup.mjs'));
  await writeFile(join(bin, 'clone/.npmrc'), await readFile('.npmrc'));
  // A lockfile that lacks what the package wants: npm says so without a network.
  await writeFile(join(bin, 'clone/package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages: {} }));
  await writeFile(join(bin, 'clone/package.json'), JSON.stringify({ dependencies: { zod: '4.6.7' } }));
  const { exitCode, stderr } = await execa('node', ['scripts/setup.mjs'], { cwd: join(bin, 'clone'), reject: false });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('npm error');
  expect(stderr).toContain('set-up: `npm ci');
});
