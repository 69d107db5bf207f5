import { spawn } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Work } from '../../cli/archive/archive-recording.ts';
import { DISK } from '../../cli/archive/file-system.ts';
import { pass } from '../../cli/archive/pass.ts';
import { recordingAt, sha256Of } from '../../cli/archive/recording.ts';
import { readRecord } from '../../cli/archive/records.ts';
import { restore } from '../../cli/archive/undo.ts';
import { workingEncoders } from '../../containers/transcoder/archive/encoders.ts';
import { ArchivePolicy } from '../../core/contracts/archive.ts';
import { decodeAll, TOOLS, temporaryDirectory } from '../support/media.ts';
import { earlyFfmpeg, LIBRARY } from './library.ts';

const DAY = 24 * 3_600_000;
const policy = ArchivePolicy.parse({
  ...{ keepOriginalDays: 2, minFreeSpaceGb: 0, maxCpuPercent: 100, maxIoWaitPercent: 100 },
});
/** The first day of the week, at half past two: in the window. */
const MONDAY = Date.UTC(2026, 10, 30, 2, 30);
const RESTORED = ['plain.mp4', 'timecode.mov', 'ten-bit-hlg.mp4'];

test(`a library of ${Object.keys(LIBRARY).length} recordings goes through a week`, async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, 'recordings');
  await mkdir(folder);
  const hashes = new Map<string, string>();
  for (const [name, { age = 30, write }] of Object.entries(LIBRARY)) {
    await write(folder, name);
    await execa('touch', ['-d', `@${(MONDAY - age * DAY) / 1000}`, join(folder, name)]);
    hashes.set(name, await sha256Of(join(folder, name)));
  }
  await Promise.all(
    ['text.srt', 'chapters.txt', 'upright.tmp.mp4', 'matroska.tmp.mkv'].map((name) => rm(join(folder, name))),
  );
  const now = { ms: MONDAY };
  const tools = { ffmpeg: await earlyFfmpeg(directory.path), ffprobe: TOOLS.ffprobe };
  const work: Work = {
    ...{ folder, policy, disk: DISK, tools, ffmpeg: 'test', encoders: await workingEncoders(tools) },
    ...{ now: () => new Date(now.ms), onProcess: () => () => {}, onProgress: () => {}, onEnded: () => {} },
  };
  const signal = new AbortController().signal;
  const options = { force: false, most: Number.POSITIVE_INFINITY, signal, onOutcome: () => {} };
  const archivedOn = new Map<string, number>();
  // The writer has to be another process than the one that archives.
  const writer = spawn('sh', ['-c', 'exec 3<>open.mp4; exec sleep 3600'], { cwd: folder, stdio: 'ignore' });
  try {
    for (let day = 0; day < 7; day++) {
      now.ms = MONDAY + day * DAY + 10 * 3_600_000;
      expect((await pass(work, options)).waits).toBe('outside the window 02:00-06:00 (UTC)');
      now.ms = MONDAY + day * DAY;
      const { outcomes, problems, done } = await pass(work, options);
      expect(problems).toEqual([]);
      for (const { file, state } of outcomes) if (state === 'archived') archivedOn.set(file, day);
      if (day === 1) {
        for (const name of RESTORED) {
          await restore(DISK, recordingAt(join(folder, name)), { policy, now: new Date(now.ms).toISOString() });
          expect([name, await sha256Of(join(folder, name))]).toEqual([name, hashes.get(name)]);
        }
      }
      const deleted = done.filter((line) => line.endsWith(': original deleted')).length;
      console.info(`day ${day}: ${outcomes.length} looked at, ${deleted} originals deleted`);
    }
  } finally {
    writer.kill();
  }
  expect(archivedOn.get('young.mp4')).toBe(6);
  const fates: Record<string, string> = {};
  for (const name of Object.keys(LIBRARY)) {
    const record = await readRecord(recordingAt(join(folder, name)));
    const isOriginal = (await sha256Of(join(folder, name))) === hashes.get(name);
    if (record?.state === 'archived' || record?.state === 'purged') {
      expect([name, isOriginal, await sha256Of(join(folder, name))]).toEqual([name, false, record.archived.sha256]);
      await decodeAll(join(folder, name));
      fates[name] = 'archived';
    } else {
      expect([name, isOriginal]).toEqual([name, true]);
      fates[name] = record?.state === 'refused' ? (record.refusals[0]?.reason ?? '') : 'untouched';
    }
  }
  const expected = Object.fromEntries(
    Object.entries(LIBRARY).map(([name, { fate }]) => [name, RESTORED.includes(name) ? 'restored' : fate]),
  );
  expect(fates).toEqual(expected);
  // Of the last day's archived recording the original is still there; of the others, it had its days.
  const left = (await readdir(folder)).filter((name) => /\.(?:original|part)$|\.transcoding\./.test(name));
  expect(left).toEqual(['young.mp4.original']);
});
