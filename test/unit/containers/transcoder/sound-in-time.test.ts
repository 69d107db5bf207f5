import { expect, test } from 'vitest';
import { soundInTime } from '../../../../containers/transcoder/decode-record.ts';
import { SoundClock } from '../../../../core/media/sound-clock.ts';

/** One byte a sample: each frame's samples are its letter. */
const RATE = 1000;

async function* parts(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

const printed = (...frames: [at: number, samples: number][]) =>
  frames
    .map(([at, samples]) => `frame:0 pts:${at} pts_time:0\ntime=1\nframe:0 pts:${samples} pts_time:0\nsamples=1\n`)
    .join('');

async function placed(frames: [at: number, samples: number][], ...pcm: string[]): Promise<string> {
  let text = '';
  const clock = new SoundClock(RATE, { alone: false });
  const how = { frameBytes: 1, check: () => undefined };
  for await (const bytes of soundInTime(parts(...pcm), parts(printed(...frames)), clock, how)) {
    text += bytes.toString('latin1').replaceAll('\0', '.');
  }
  return text;
}

test('samples come out in their order with silence before them and in a gap, however they are cut', async () => {
  const frames: [number, number][] = [
    [3, 2],
    [105, 300],
    [405, 300],
  ];
  const pcm = `ab${'c'.repeat(300)}${'d'.repeat(300)}`;
  const expected = `...ab${'.'.repeat(100)}${'c'.repeat(300)}${'d'.repeat(300)}`;
  expect(await placed(frames, pcm)).toBe(expected);
  expect(await placed(frames, ...pcm)).toBe(expected);
});

test('what overlaps is dropped', async () => {
  const frames: [number, number][] = [
    [0, 400],
    [300, 300],
    [600, 300],
  ];
  const pcm = ['a'.repeat(400), 'b'.repeat(300), 'c'.repeat(300)];
  expect(await placed(frames, ...pcm)).toBe(`${'a'.repeat(400)}${'b'.repeat(200)}${'c'.repeat(300)}`);
});

test('sound that goes too far ends, though samples go on', async () => {
  const frames = Array.from({ length: 8 }, (_, i): [number, number] => [i < 1 ? 0 : 100_000 + i * 1000, 1000]);
  const endless = async function* () {
    for (;;) yield Buffer.alloc(1000);
  };
  const clock = new SoundClock(RATE, { alone: false });
  const check = () => {
    if (clock.position > 60 * RATE) throw new Error('too far');
  };
  const written = async () => {
    let bytes = 0;
    const stream = soundInTime(endless(), parts(printed(...frames)), clock, { frameBytes: 1, check });
    for await (const { length } of stream) bytes += length;
    return bytes;
  };
  await expect(written()).rejects.toThrow('too far');
});
