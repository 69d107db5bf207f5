import { copyFile, mkdir, open, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { versionOf } from '../../cli/archive/recording.ts';
import { dropreel } from '../support/command.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';

/** A folder of recordings, and the published command in it. */
let made: Awaited<ReturnType<typeof temporaryDirectory>>;
const ALWAYS = ['window=00:00-00:00', 'timeZone=UTC', 'minFreeSpaceGb=0', 'maxCpuPercent=100', 'maxIoWaitPercent=100'];

beforeAll(async () => {
  made = await temporaryDirectory();
  await make(made.path, ...picture('160x90', '25', 1), ...tone(1), ...H264_AAC, '-crf', '8', 'a.mp4');
});
afterAll(() => made[Symbol.asyncDispose]());

/** Folder with `cam1/a.mp4`, last changed so many days ago, and the command's words in it. */
async function folder(days = 10) {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'cam1', 'a.mp4');
  await mkdir(join(directory.path, 'cam1'));
  await copyFile(join(made.path, 'a.mp4'), path);
  await age(path, days);
  const { FFMPEG_PATH, FFPROBE_PATH } = { FFMPEG_PATH: TOOLS.ffmpeg, FFPROBE_PATH: TOOLS.ffprobe };
  const command = (...words: string[]) =>
    dropreel(directory.path, ['archive', ...words, '--folder', directory.path], { FFMPEG_PATH, FFPROBE_PATH });
  await command('enable', '--set', ...ALWAYS);
  return { path, directory: directory.path, command, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

/** `touch`, because Node's own function knows no nanoseconds. */
async function age(path: string, days: number): Promise<void> {
  const seconds = Math.floor(Date.now() / 1000) - days * 86_400;
  await execa('touch', ['-d', `@${seconds}.123456789`, path]);
}

const namesIn = async (path: string) => (await readdir(path)).sort();

test('the oldest is archived, keeps its times, and its original is restored to the byte', async () => {
  await using it = await folder();
  await execa('chmod', ['640', it.path]);
  const before = await stat(it.path, { bigint: true });
  const run = await it.command('run');
  expect([run.exitCode, run.stderr]).toEqual([0, '']);
  expect(run.stdout).toMatch(/^cam1\/a\.mp4 {2}archived {2}\d+ kB → \d+ kB, \d\d\.\d % saved, SSIM 0\.9\d+, libx265$/);
  expect(await namesIn(join(it.directory, 'cam1'))).toEqual(['a.mp4', 'a.mp4.archive.json', 'a.mp4.original']);
  const after = await stat(it.path, { bigint: true });
  expect([after.mtimeNs, after.mode]).toEqual([before.mtimeNs, before.mode]);
  expect(after.size).toBeLessThan(before.size);
  expect((await it.command('run')).stdout).toBe('');
  const restored = await it.command('restore', 'cam1/a.mp4');
  expect([restored.exitCode, restored.stdout]).toEqual([0, `${it.path}  restored`]);
  expect(versionOf(await stat(it.path, { bigint: true }))).toBe(versionOf(before));
  expect(await readFile(it.path)).toEqual(await readFile(join(made.path, 'a.mp4')));
  // What a person restored is not archived again.
  expect((await it.command('run')).stdout).toBe('');
});

test('stats prints what the recorder that it replaces printed', async () => {
  await using it = await folder();
  await it.command('run');
  const { stdout } = await it.command('stats');
  const lines = stdout.split('\n').map((line) => line.replace(/\d+ kB|\d+\.\d|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '#'));
  expect(lines).toEqual([
    '=== Transcoding Statistics ===',
    '',
    'Files transcoded: 1',
    'Space saved: # (#% reduction; target 40%)',
    'Total original: #',
    'Total transcoded: #',
    'Originals still kept: #',
    'Files kept as they are: None',
    '',
    'Last transcoded: #',
    'Status: Not running',
    'Current file: None',
    '',
    'Next scheduled run: #',
  ]);
});

test('a recording that a process has open for writing is left alone', async () => {
  await using it = await folder();
  const writer = await open(it.path, 'r+');
  // The time of the last change says nothing of a writer that waits.
  await utimes(it.path, 1_700_000_000, 1_700_000_000);
  try {
    // This process is not the command's.
    const { exitCode, stderr } = await it.command('file', 'cam1/a.mp4');
    expect([exitCode, stderr]).toEqual([
      5,
      `dropreel: ${it.path} is being written: it changed within the last ten minutes, or a process has it open.`,
    ]);
    expect((await it.command('run')).stdout).toBe('');
  } finally {
    await writer.close();
  }
  expect(await namesIn(join(it.directory, 'cam1'))).toEqual(['a.mp4']);
});

test('what is not worth it, young, disabled, outside of the window, or in need of room is told, and nothing is changed', async () => {
  await using it = await folder(3);
  const idle = await it.command('run');
  expect([idle.exitCode, idle.stdout, idle.stderr]).toEqual([
    0,
    '',
    'nothing is due: dropreel archive status says why',
  ]);
  await it.command('enable', '--set', 'minAgeDays=2', 'minFreeSpaceGb=100000000');
  expect((await it.command('run')).stderr).toMatch(
    /^nothing more is done: .* GB are free; 100000000 GB are to stay free$/,
  );
  const hour = (new Date().getUTCHours() + 2) % 24;
  const window = [hour, (hour + 1) % 24].map((at) => `${String(at).padStart(2, '0')}:00`).join('-');
  await it.command('enable', '--set', `window=${window}`, 'minFreeSpaceGb=0');
  expect((await it.command('run')).stderr).toBe(`nothing more is done: outside the window ${window} (UTC)`);
  await it.command('disable');
  const disabled = await it.command('run');
  expect([disabled.exitCode, disabled.stderr]).toEqual([
    5,
    `dropreel: ${it.directory} is disabled: dropreel archive enable --folder ${it.directory}`,
  ]);
  await it.command('enable', '--set', 'minSavingsPercent=99', 'window=00:00-00:00');
  const refused = await it.command('run', '--json');
  expect(JSON.parse(refused.stdout)).toMatchObject({
    file: 'cam1/a.mp4',
    state: 'refused',
    refusals: [{ reason: 'savings' }],
  });
  expect(await readFile(it.path)).toEqual(await readFile(join(made.path, 'a.mp4')));
  expect(await namesIn(join(it.directory, 'cam1'))).toEqual(['a.mp4', 'a.mp4.archive.json']);
  expect((await it.command('run')).stdout).toBe('');
});

test('a wrong setting, a wrong path and a name that is taken are told', async () => {
  await using it = await folder();
  const { exitCode, stderr } = await it.command('enable', '--set', 'timeZone=Mars/Olympus');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(
    /^dropreel: timeZone: takes the name of a time zone, such as Europe\/Berlin\. It has minAgeDays, codec/,
  );
  const outside = await it.command('file', '/etc/hostname');
  expect([outside.exitCode, outside.stderr]).toEqual([2, `dropreel: /etc/hostname is not in ${it.directory}.`]);
  const other = await it.command('file', 'cam1/a.mp4.original');
  expect([other.exitCode, other.stderr]).toEqual([
    2,
    `dropreel: ${it.path}.original has not the name of a recording: one ends in .mp4, .mov or .m4v.`,
  ]);
  await writeFile(join(it.directory, 'b.mp4'), '');
  await writeFile(join(it.directory, 'b.mp4.archive.json'), '{}');
  expect((await it.command('plan')).stdout.split('\n').at(-1)).toBe(
    `problem  ${it.directory}/b.mp4.archive.json is not a record of this release: the recording is left as it is.`,
  );
  await writeFile(`${it.path}.original`, '');
  const taken = await it.command('file', 'cam1/a.mp4');
  expect([taken.exitCode, taken.stderr]).toEqual([1, `dropreel: ${it.path}.original exists: move it away.`]);
});
