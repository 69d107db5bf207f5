import { expect, test } from 'vitest';
import { printedFrames } from '../../../../containers/transcoder/ffmpeg/printed-frames.ts';

async function* parts(...texts: string[]) {
  yield* texts;
}

test('frames are read one by one, however the text is cut, also those without a time', async () => {
  const output = parts(
    'frame:0    pts:1024    pts_time:0.0213333\nlavfi.astats.Overall.Number_of_sam',
    'ples=1024.000000\nframe:1    pts:NOPTS   pts_time:NOPTS\nlavfi.astats.Overall.Number_of_samples=512.000000\nfra',
    'me:2    pts:-7      pts_time:-0.1\npicture=1\n',
  );
  const frames = [];
  for await (const frame of printedFrames(output)) frames.push(frame);
  expect(frames).toEqual([
    { at: 1024, value: 1024 },
    { at: undefined, value: 512 },
    { at: -7, value: 1 },
  ]);
});
