import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenRulesOf } from '../support/by-the-book.ts';
import { decodeAll, SHARED_MEDIA, temporaryDirectory } from '../support/media.ts';
import { presetNamed, transcodeFile } from '../support/transcode.ts';

/** Real cameras, encoders and recorders. Encoded with the lowest rung only: the ladder takes long. */
const quick = { ...presetNamed('standard'), rungs: presetNamed('standard').rungs.slice(3) };

const CLIPS: [string, string[], number, number | null][] = [
  ['bbb-1s-1080p24.mp4', ['360p 640x360'], 1.042, 25],
  ['phone-1080p25-h264.mp4', ['360p 640x360'], 5, 125],
  ['phone-1080p30-hevc.mp4', ['360p 640x360'], 10, 300],
  ['broadcast-422-10bit.mp4', ['360p 640x360'], 10, 250],
  ['traffic-432p.mp4', ['360p 640x360'], 30.16, 377],
  ['small-240p.mp4', ['240p 426x240'], 27.2, 816],
  ['music-with-cover.flac', ['128k', '64k'], 19.714, null],
  ['speech-stereo.wav', ['128k', '64k'], 7.095, null],
];

test.skipIf(SHARED_MEDIA === null).each(CLIPS)('%s', async (name, rungs, seconds, frames) => {
  await using directory = await temporaryDirectory();
  const { result, out } = await transcodeFile(directory.path, join(SHARED_MEDIA ?? '', name), quick);
  const found = result.renditions.map(({ name, width, height }) => (width ? `${name} ${width}x${height}` : name));
  expect(found).toEqual(rungs);
  for (const { durationSeconds } of result.renditions) {
    expect(Math.abs(durationSeconds - seconds)).toBeLessThanOrEqual(0.05);
  }
  expect(await brokenRulesOf({ result, out })).toEqual([]);
  if (frames === null) return expect(result.mp4).toBeUndefined();
  expect(await decodeAll(join(out, result.mp4 ?? ''))).toMatchObject([{ codec: 'h264', frames }, { codec: 'aac' }]);
});
