import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { transcode } from '../../containers/transcoder/transcode.ts';
import { TOOLS } from '../support/media.ts';
import { testVideo } from '../support/pipeline.ts';
import { presetNamed } from '../support/transcode.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-progress-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('the progress of an encode is reported from its beginning on, though its poster is chosen at the end', async () => {
  const file = await testVideo(join(folder, 'video.mp4'), { seconds: 12, size: '1280x720' });
  const scratch = await openScratch(join(folder, 'scratch'));
  await copyFile(file, scratch.source);
  const fractions: number[] = [];
  await transcode({
    tools: TOOLS,
    scratch,
    preset: presetNamed('standard'),
    signal: new AbortController().signal,
    onProgress: ({ phase, fraction }) => {
      if (phase === 'transcoding') fractions.push(fraction);
    },
  });
  expect(fractions.filter((fraction) => fraction > 0 && fraction < 0.9).length).toBeGreaterThan(2);
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  expect(fractions.at(-1)).toBeGreaterThan(0.95);
});
