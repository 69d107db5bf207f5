import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { activity, clockTime, gigabytes } from '../../../../cli/archive/describe.ts';
import { DISK } from '../../../../cli/archive/file-system.ts';
import { lockFolder } from '../../../../cli/archive/lock.ts';
import { isRecordingName, recordingAt, recordingOfRecord } from '../../../../cli/archive/recording.ts';
import { readRecord, writeRecord } from '../../../../cli/archive/records.ts';
import { scan } from '../../../../cli/archive/scan.ts';
import { changed, readSpeed, writeSettings, writeSpeed } from '../../../../cli/archive/settings.ts';
import { StatusFile } from '../../../../cli/archive/status.ts';
import { recordingIn, startWorker } from '../../../../cli/archive/worker.ts';
import { main } from '../../../../cli/main.ts';
import { Output } from '../../../../cli/output.ts';
import { ARCHIVE_REASONS, ArchivePolicy } from '../../../../core/contracts/archive.ts';
import { temporaryDirectory } from '../../../support/media.ts';

const run = promisify(execFile);
const policy = ArchivePolicy.parse({});
const linux = process.platform === 'linux';

test('the names beside a recording', () => {
  expect(recordingAt('/cam/a.b.MP4')).toEqual({
    ...{ path: '/cam/a.b.MP4', directory: '/cam', name: 'a.b.MP4', temporary: '/cam/a.b.transcoding.MP4' },
    ...{ original: '/cam/a.b.MP4.original', record: '/cam/a.b.MP4.archive.json' },
  });
  expect(recordingOfRecord('/cam/a.mp4.archive.json')?.path).toBe('/cam/a.mp4');
  expect(recordingOfRecord('/cam/a.txt.archive.json')).toBeUndefined();
});

test.each([
  ['a.mp4', true],
  ['A.MOV', true],
  ['a.m4v', true],
  ['a.mkv', false],
  ['a.transcoding.mp4', false],
  ['a.mp4.original', false],
  ['.hidden.mp4', false],
])('%s is a recording: %s', (name, expected) => {
  expect(isRecordingName(name)).toBe(expected);
});

test.runIf(linux)('a folder is looked through with its subfolders, without hidden ones and links', async () => {
  await using directory = await temporaryDirectory();
  const at = (...parts: string[]) => join(directory.path, ...parts);
  await run('mkdir', [at('cam'), at('.hidden')]);
  await Promise.all(['cam/a.mp4', '.hidden/b.mp4', 'c.txt', 'bad.mp4'].map((name) => writeFile(at(name), 'x')));
  await writeFile(at('bad.mp4.archive.json'), '{"state":"of a later release"}');
  await writeFile(at('gone.mp4.archive.json'), '{}');
  await symlink(at('cam/a.mp4'), at('link.mp4'));
  const { files, orphans, problems } = await scan(directory.path, policy, Date.now());
  expect(files.map(({ recording, standing }) => [recording.path, standing])).toEqual([
    [at('cam/a.mp4'), 'being-written'],
  ]);
  expect(orphans.map(({ path }) => path)).toEqual([at('gone.mp4')]);
  expect(problems).toEqual([
    `${at('bad.mp4.archive.json')} is not a record of this release: the recording is left as it is.`,
  ]);
});

test.runIf(linux)('a folder is worked on by one at a time', async () => {
  await using directory = await temporaryDirectory();
  const [folder, other, link] = ['folder', 'other', 'link'].map((name) => join(directory.path, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([mkdir(folder), mkdir(other), symlink(folder, link)]);
  const lock = await lockFolder(folder);
  // As a bind mount, a link is another path of the same folder.
  for (const path of [folder, link]) {
    await expect(lockFolder(path)).rejects.toThrow(`Another dropreel archive works on ${path}: see its status.`);
  }
  await (await lockFolder(other))[Symbol.asyncDispose]();
  await lock[Symbol.asyncDispose]();
  await (await lockFolder(folder))[Symbol.asyncDispose]();
});

test.runIf(linux)(
  'a folder within one that has an archive is refused, and one with an archive of its own is left out',
  async () => {
    await using directory = await temporaryDirectory();
    const inner = join(directory.path, 'cam', 'inner');
    await mkdir(inner, { recursive: true });
    await Promise.all(['cam/a.mp4', 'cam/inner/b.mp4'].map((name) => writeFile(join(directory.path, name), 'x')));
    await writeSettings(directory.path, { enabled: true, policy });
    await expect(lockFolder(inner)).rejects.toThrow(
      `${inner} is in ${directory.path}, which has an archive: use that one, or delete ${directory.path}/.dropreel-archive.`,
    );
    await writeSettings(inner, { enabled: true, policy });
    const { files, problems } = await scan(directory.path, policy, Date.now());
    expect(files.map(({ recording }) => recording.path)).toEqual([join(directory.path, 'cam/a.mp4')]);
    expect(problems).toEqual([
      `${inner} is left out: it has an archive of its own. Delete ${inner}/.dropreel-archive to have it in this one.`,
    ]);
  },
);

test.runIf(linux)('a record and a state that are links are neither followed nor written through', async () => {
  await using directory = await temporaryDirectory();
  const at = (...parts: string[]) => join(directory.path, ...parts);
  await writeFile(at('other'), 'of another program');
  const recording = recordingAt(at('a.mp4'));
  await symlink(at('other'), `${recording.record}.part`);
  await writeRecord(DISK, recording, { state: 'encoding', at: '2026-11-29T02:00:00.000Z', temporary: 'x' });
  expect((await readRecord(recording))?.state).toBe('encoding');
  await rm(recording.record);
  await symlink(at('other'), recording.record);
  await expect(readRecord(recording)).rejects.toThrow('is not a record of this release');
  await mkdir(at('.dropreel-archive'));
  await symlink(at('other'), at('.dropreel-archive', 'speed.json.part'));
  await writeSpeed(directory.path, 5);
  expect(await readSpeed(directory.path)).toBe(5);
  await mkdir(at('cam'));
  await symlink(at('.dropreel-archive'), at('cam', '.dropreel-archive'));
  await expect(writeSpeed(at('cam'), 9)).rejects.toThrow(`${at('cam', '.dropreel-archive')} is a link: delete it.`);
  expect(await readSpeed(directory.path)).toBe(5);
  expect(await readFile(at('other'), 'utf8')).toBe('of another program');
});

test.runIf(linux)('only what has the name of a recording, in the folder, can be named', async () => {
  await using directory = await temporaryDirectory();
  expect((await recordingIn(directory.path, 'a.mp4')).path).toBe(join(directory.path, 'a.mp4'));
  for (const name of ['a.mp4.original', 'a.transcoding.mp4', '.a.mp4', 'a.mkv']) {
    await expect(recordingIn(directory.path, name)).rejects.toMatchObject({
      ...{ exitCode: 2, message: expect.stringContaining('has not the name of a recording') },
    });
  }
  await expect(recordingIn(directory.path, '/etc/a.mp4')).rejects.toThrow('/etc/a.mp4 is not in');
});

test.runIf(linux)('a machine without ffprobe is told before anything begins', async () => {
  await using directory = await temporaryDirectory();
  vi.stubEnv('FFPROBE_PATH', '/none/ffprobe');
  const out = new Output(false);
  const status = new StatusFile(directory.path, () => new Date());
  await expect(startWorker(directory.path, policy, { status, out }).finally(() => vi.unstubAllEnvs())).rejects.toThrow(
    '/none/ffprobe does not run: dropreel doctor says more.',
  );
});

test.runIf(linux)('a subfolder that cannot be read hides no other', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'a.mp4'), 'x');
  // Its path is longer than PATH_MAX, which root cannot read either.
  const deep = 'n=$(printf %0200d 0); for i in $(seq 21); do mkdir $n && cd -P $n || exit 1; done';
  await run('sh', ['-c', deep], { cwd: directory.path });
  const { files, problems } = await scan(directory.path, policy, Date.now());
  // Node's own cannot delete it.
  await run('rm', ['-rf', join(directory.path, '0'.repeat(200))]);
  expect(files.map(({ recording }) => recording.name)).toEqual(['a.mp4']);
  expect(problems).toEqual([expect.stringMatching(/^ENAMETOOLONG: /)]);
});

test.runIf(linux)('times to the nanosecond, mode and attributes are given to another file', async () => {
  await using directory = await temporaryDirectory();
  const [from, to] = ['from', 'to'].map((name) => join(directory.path, name)) as [string, string];
  await writeFile(from, 'original');
  await writeFile(to, 'new');
  await run('touch', ['-d', '@1700000000.123456789', from]);
  await run('chmod', ['640', from]);
  await DISK.copyAttributes(from, to);
  expect((await run('stat', ['-c', '%a %y', to])).stdout).toBe((await run('stat', ['-c', '%a %y', from])).stdout);
  expect((await run('stat', ['-c', '%a %.9Y', to])).stdout).toBe('640 1700000000.123456789\n');
  expect(await readFile(to, 'utf8')).toBe('new');
});

test('a command without a place asks for one, before anything is said of an API', async () => {
  const said: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const exitCode = await main(['archive', 'plan']).finally(() => stderr.mockRestore());
  expect([exitCode, said.join('')]).toEqual([2, 'dropreel: Say where: --folder DIR, or --collection ID.\n']);
});

test('settings are changed by name', () => {
  const after = changed(policy, ['window=22:00-04:00', 'minAgeDays=3', 'floors.mean=0.97', 'codec=av1']);
  expect(after).toEqual({
    ...policy,
    ...{ window: '22:00-04:00', minAgeDays: 3, codec: 'av1', floors: { mean: 0.97, worstSecond: 0.94 } },
  });
});

test.each([
  ['window=25:00-04:00', 'window: takes HH:MM-HH:MM.'],
  ['nonsense', 'nonsense: takes NAME=VALUE, such as minAgeDays=14.'],
  ['nonsense=1', 'policy: Unrecognized key: "nonsense". It has minAgeDays, '],
  ['quality=99', 'quality: Too big: expected number to be <=40.'],
])('the setting %s is refused', (change, message) => {
  expect(() => changed(policy, [change])).toThrow(message);
});

test('what a person reads', () => {
  expect(gigabytes(68_512_345_678)).toBe('68.5 GB');
  expect(gigabytes(1_500_000)).toBe('1.5 MB');
  expect([gigabytes(5), gigabytes(0)]).toEqual(['1 kB', '0 MB']);
  expect(clockTime(new Date('2026-11-12T03:23:15Z'), 'Europe/Berlin')).toBe('2026-11-12 04:23:15');
  const status = { pid: process.pid, at: '2026-11-12T04:00:00.000Z', current: [], pauses: [], problems: [] };
  const settings = { enabled: true, policy };
  expect(activity(settings, { ...status, waits: 'outside the window 02:00-06:00 (UTC)' })).toBe(
    'Running (paused - outside the window 02:00-06:00 (UTC))',
  );
  const pause = { from: '2026-11-12T03:00:00.000Z', reason: 'busy' };
  expect(activity(settings, { ...status, pauses: [pause] })).toBe('Running (paused - busy)');
  expect(activity(settings, { ...status, pauses: [{ ...pause, to: pause.from }] })).toBe('Running');
  expect(activity({ ...settings, enabled: false }, undefined)).toBe('Not running (disabled)');
});

test('docs/archive.md lists the reasons and the policy', async () => {
  const text = await readFile('docs/archive.md', 'utf8');
  const rows = text.split('\n').flatMap((line) => /^\| `(\w+)` \| (.+) \|$/.exec(line)?.slice(1, 3).join(': ') ?? []);
  for (const [reason, when] of Object.entries(ARCHIVE_REASONS)) expect(rows).toContain(`${reason}: ${when}`);
  for (const name of Object.keys(ArchivePolicy.shape)) expect(text).toMatch(new RegExp(`^\\| \`${name}[\`.]`, 'm'));
});

const hasSystemd = await run('systemd-analyze', ['--version']).then(
  () => true,
  () => false,
);
test.runIf(hasSystemd)('systemd finds nothing wrong with the unit', async () => {
  await using directory = await temporaryDirectory();
  const unit = join(directory.path, 'dropreel-archive@tmp.service');
  await copyFile(resolve('cli/systemd/dropreel-archive@.service'), unit);
  const { stdout, stderr } = await run('systemd-analyze', ['verify', unit]);
  expect(stdout + stderr).toBe('');
});
