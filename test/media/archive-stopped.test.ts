import { chmod, copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DISK } from '../../cli/archive/file-system.ts';
import { pass } from '../../cli/archive/pass.ts';
import { readSpeed } from '../../cli/archive/settings.ts';
import { ArchivePolicy } from '../../core/contracts/archive.ts';
import { BIN, dropreel } from '../support/command.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';

/** An encode that is stopped: by the end of the window, by a kill, by systemd. */
let made: Awaited<ReturnType<typeof temporaryDirectory>>;
/** An FFmpeg whose encodes last until they are ended. */
let endless: string;

beforeAll(async () => {
  made = await temporaryDirectory();
  await make(made.path, ...picture('160x90', '25', 1), ...tone(1), ...H264_AAC, '-crf', '8', 'a.mp4');
  endless = join(made.path, 'endless');
  const program = `#!/bin/sh
case "$*" in *libx265*movflags*) exec sleep 3600 ;; esac
exec ${TOOLS.ffmpeg} "$@"
`;
  await writeFile(endless, program);
  await chmod(endless, 0o755);
});
afterAll(() => made[Symbol.asyncDispose]());

const ALWAYS = ['window=00:00-00:00', 'timeZone=UTC', 'minFreeSpaceGb=0', 'maxCpuPercent=100', 'maxIoWaitPercent=100'];

async function folder() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'a.mp4');
  await copyFile(join(made.path, 'a.mp4'), path);
  await execa('touch', ['-d', '2024-01-01', path]);
  const command = (...words: string[]) =>
    dropreel(directory.path, [...words, '--folder', directory.path], toolsOf(TOOLS.ffmpeg));
  await command('archive', 'enable', '--set', ...ALWAYS);
  return { path, directory: directory.path, command, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const toolsOf = (ffmpeg: string) => ({ FFMPEG_PATH: ffmpeg, FFPROBE_PATH: TOOLS.ffprobe });
const recordingsIn = async (path: string) => (await readdir(path)).filter((name) => name.startsWith('a.')).sort();

/** Resolves when the new file has been begun. */
async function encoding(directory: string): Promise<void> {
  while (!(await recordingsIn(directory)).includes('a.transcoding.mp4'))
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Starts the published command with the endless encode. */
function start(directory: string, word: string) {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: directory, ...toolsOf(endless) };
  return execa('node', [BIN, 'archive', word, '--folder', directory], { env, extendEnv: false, reject: false });
}

test('at the end of the window an encode is stopped and undone, and does not start again in so short a time', async () => {
  await using it = await folder();
  const policy = ArchivePolicy.parse({ minFreeSpaceGb: 0, window: '02:00-06:00' });
  // Two seconds before six o'clock.
  const now = Date.UTC(2026, 10, 30, 5, 59, 58);
  const work = {
    ...{ folder: it.directory, policy, disk: DISK, ffmpeg: 'test', encoders: ['libx265' as const] },
    ...{ tools: { ffmpeg: endless, ffprobe: TOOLS.ffprobe }, now: () => new Date(now) },
    ...{ onProcess: () => () => {}, onProgress: () => {}, onEnded: () => {} },
  };
  const options = { force: false, most: 1, signal: new AbortController().signal, onOutcome: () => {} };
  const first = await pass(work, options);
  expect(first).toMatchObject({
    outcomes: [],
    problems: [],
    waits: 'the window is over; the recording in work is as it was',
  });
  expect(await recordingsIn(it.directory)).toEqual(['a.mp4']);
  expect(await readSpeed(it.directory)).toBeLessThan(10_000);
  const second = await pass(work, options);
  expect([second.late, second.waits]).toEqual([['a.mp4'], 'too little is left of the window for a.mp4']);
});

test('a recording that is written to while it is encoded is kept, with its reason, and tried again', async () => {
  await using it = await folder();
  const meddling = join(it.directory, 'meddling');
  const program = `#!/bin/sh
case "$*" in *libx265*movflags*) printf more >> ${it.path} ;; esac
exec ${TOOLS.ffmpeg} "$@"
`;
  await writeFile(meddling, program);
  await chmod(meddling, 0o755);
  const words = ['archive', 'run', '--folder', it.directory];
  const { exitCode, stdout, stderr } = await dropreel(it.directory, words, toolsOf(meddling));
  expect([exitCode, stdout, stderr]).toEqual([
    0,
    `a.mp4  kept  source_changed: ${it.path} changed while it was encoded.`,
    '',
  ]);
  expect(await recordingsIn(it.directory)).toEqual(['a.mp4', 'a.mp4.archive.json']);
  expect((await readFile(it.path)).subarray(-4).toString()).toBe('more');
  await execa('touch', ['-d', '2024-01-01', it.path]);
  expect((await it.command('archive', 'run')).stdout).toMatch(/^a\.mp4 {2}archived /);
});

test('after a kill the recording is as it was, and the next run begins anew', async () => {
  await using it = await folder();
  const killed = start(it.directory, 'run');
  await encoding(it.directory);
  killed.kill('SIGKILL');
  await killed;
  expect(await readFile(it.path)).toEqual(await readFile(join(made.path, 'a.mp4')));
  expect(await recordingsIn(it.directory)).toEqual(['a.mp4', 'a.mp4.archive.json', 'a.transcoding.mp4']);
  const again = await it.command('archive', 'run');
  expect(again.stderr).toBe('a.mp4: unfinished encode removed');
  expect(again.stdout).toMatch(/^a\.mp4 {2}archived /);
  expect(await recordingsIn(it.directory)).toEqual(['a.mp4', 'a.mp4.archive.json', 'a.mp4.original']);
});

test("what watch does is told in the folder, one works at a time, and systemd's stop undoes the encode", async () => {
  await using it = await folder();
  const watch = start(it.directory, 'watch');
  await encoding(it.directory);
  expect((await it.command('archive', 'stats')).stdout).toMatch(/^Status: Running$/m);
  const other = await it.command('archive', 'run');
  expect([other.exitCode, other.stderr]).toEqual([
    5,
    `dropreel: Another dropreel archive works on ${it.directory}: see its status.`,
  ]);
  watch.kill('SIGTERM');
  const { exitCode, stderr } = await watch;
  expect([exitCode, stderr]).toEqual([130, 'dropreel: Interrupted; the recording in work is as it was.']);
  expect(await recordingsIn(it.directory)).toEqual(['a.mp4']);
});
