import { rename } from 'node:fs/promises';
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
  ...{ onProcess: () => {}, onProgress: () => {}, onEnded: () => {} },
  ...more,
});
const options = { force: true, most: 9, signal: new AbortController().signal, onOutcome: () => {} };
const linux = process.platform === 'linux';

test.runIf(linux)('a restore that was killed after its rename is finished by the next pass', async () => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  await replaceIt(QUICK, recording);
  await rename(recording.original, recording.path);
  const { done, problems } = await pass(workIn(directory.path), options);
  expect({ done, problems }).toEqual({ done: ['a.mp4: restore finished'], problems: [] });
  expect(await readRecord(recording)).toMatchObject({ state: 'refused', refusals: [{ reason: 'restored' }] });
});
