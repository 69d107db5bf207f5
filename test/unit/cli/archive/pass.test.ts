import { rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Work } from '../../../../cli/archive/archive-recording.ts';
import { pass } from '../../../../cli/archive/pass.ts';
import { readRecord } from '../../../../cli/archive/records.ts';
import { library, NOW, policy, QUICK, replaceIt } from '../../../support/archived.ts';
import { temporaryDirectory } from '../../../support/media.ts';

/** Work in a folder, whose FFmpeg is not there. */
const workIn = (folder: string, more: Partial<Work> = {}): Work => ({
  ...{ folder, policy: { ...policy, minFreeSpaceGb: 0 }, disk: QUICK, ffmpeg: 'none', encoders: ['libx265'] },
  ...{ tools: { ffmpeg: '/none/ffmpeg', ffprobe: '/none/ffprobe' }, now: () => new Date(NOW) },
  ...{ onProcess: () => () => {}, onProgress: () => {}, onEnded: () => {} },
  ...more,
});
const options = { force: true, most: 9, signal: new AbortController().signal, onOutcome: () => {} };
const linux = process.platform === 'linux';

/** What waits for `passed` goes on after `open`. */
function gate(): { passed: Promise<void>; open: () => void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

test.runIf(linux)('a restore that was killed after its rename is finished by the next pass', async () => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  await replaceIt(QUICK, recording);
  await rename(recording.original, recording.path);
  const { done, problems } = await pass(workIn(directory.path), options);
  expect({ done, problems }).toEqual({ done: ['a.mp4: restore finished'], problems: [] });
  expect(await readRecord(recording)).toMatchObject({ state: 'refused', refusals: [{ reason: 'restored' }] });
});

test.runIf(linux)('when one of two encodes ends the pass, the other has ended too', async () => {
  await using directory = await temporaryDirectory();
  for (const name of ['a.mp4', 'b.mp4']) {
    await writeFile(join(directory.path, name), name);
    await utimes(join(directory.path, name), 1_700_000_000, 1_700_000_000);
  }
  const stop = new AbortController();
  const [first, second] = [gate(), gate()];
  const told: string[] = [];
  const work = workIn(directory.path, {
    policy: { ...policy, minFreeSpaceGb: 0, maxConcurrent: 2 },
    disk: {
      ...QUICK,
      create: async (path) => {
        if (path.endsWith('b.transcoding.mp4')) await second.passed;
        else stop.abort(new Error('stopped'));
        stop.signal.throwIfAborted();
      },
    },
    onEnded: (file) => {
      told.push(file);
      if (file === 'a.mp4') first.open();
    },
  });
  const passing = pass(work, { ...options, signal: stop.signal }).catch(({ message }) => told.push(message));
  await first.passed;
  await new Promise((resolve) => setImmediate(resolve));
  second.open();
  await passing;
  expect(told).toEqual(['a.mp4', 'b.mp4', 'stopped']);
});

test.runIf(linux)('a window that ends while a recording is read is no problem', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'a.mp4');
  await writeFile(path, 'a');
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const work = workIn(directory.path, {
    // A moment before six o'clock.
    now: () => new Date('2026-11-30T05:59:59.999Z'),
    // Later than the timer of the window, which was set before for a millisecond.
    disk: { ...QUICK, create: () => new Promise((resolve) => setTimeout(resolve, 2)) },
  });
  expect(await pass(work, { ...options, force: false })).toMatchObject({
    ...{ outcomes: [], problems: [], waits: 'the window is over; the recording in work is as it was' },
  });
});

test.runIf(linux)('with `finish`, an encode goes on after the window, and no other begins', async () => {
  await using directory = await temporaryDirectory();
  for (const name of ['a.mp4', 'b.mp4']) {
    await writeFile(join(directory.path, name), name);
    await utimes(join(directory.path, name), 1_700_000_000, 1_700_000_000);
  }
  let now = '2026-11-30T05:59:59.999Z';
  const work = workIn(directory.path, {
    policy: { ...policy, minFreeSpaceGb: 0, overrun: 'finish' },
    now: () => new Date(now),
    disk: {
      ...QUICK,
      create: async () => {
        // Longer than the timer of the window would take.
        await new Promise((resolve) => setTimeout(resolve, 2));
        now = '2026-11-30T06:00:01.000Z';
      },
    },
  });
  // It goes on to its FFmpeg, which is not there.
  expect(await pass(work, { ...options, force: false })).toMatchObject({
    problems: [expect.stringMatching(/^a\.mp4: .*ffprobe/)],
    waits: 'outside the window 02:00-06:00 (UTC)',
  });
});
