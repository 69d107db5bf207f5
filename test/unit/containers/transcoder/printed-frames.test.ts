import { expect, test } from 'vitest';
import { printedFrames, printedSound } from '../../../../containers/transcoder/ffmpeg/printed-frames.ts';

async function* parts(...texts: string[]) {
  yield* texts;
}

test('frames are read one by one, however the text is cut, also those without a time', async () => {
  const output = parts(
    'frame:0    pts:1024    pts_time:0.0213333\npict',
    'ure=1\nframe:1    pts:NOPTS   pts_time:NOPTS\npicture=1\nfra',
    'me:2    pts:-7      pts_time:-0.1\npicture=1\n',
  );
  const frames = [];
  for await (const frame of printedFrames(output)) frames.push(frame);
  expect(frames).toEqual([
    { at: 1024, key: 'picture' },
    { at: undefined, key: 'picture' },
    { at: -7, key: 'picture' },
  ]);
});

test('frames of sound have a time and a number of samples, in whatever order filters print them', async () => {
  const line = (pts: number | string, key: string) => `frame:0    pts:${pts}    pts_time:0\n${key}=1\n`;
  const output = parts(
    line(0, 'time') + line(1024, 'samples'),
    line('NOPTS', 'time') + line(5000, 'time') + line(512, 'samples') + line(7, 'samples'),
  );
  const frames = [];
  for await (const frame of printedSound(output)) frames.push(frame);
  expect(frames).toEqual([
    { at: 0, samples: 1024 },
    { at: undefined, samples: 512 },
    { at: 5000, samples: 7 },
  ]);
});
