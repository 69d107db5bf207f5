import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { DecodedPictures } from '../../core/media/decoded.ts';
import type { SoundClock, SoundStep } from '../../core/media/sound-clock.ts';
import { printedFrames, printedSound } from './ffmpeg/printed-frames.ts';

type Output = AsyncIterable<Buffer>;

/**
 * Follows the decode's account of its pictures and writes their times, as 64-bit numbers, to a file.
 * @param timescale Ticks per second of that account.
 * @param onPicture Called after each picture with what was recorded up to it.
 */
export async function recordPictures(
  output: Output,
  timescale: number,
  file: string,
  onPicture: (recorded: Readonly<DecodedPictures>) => void,
): Promise<DecodedPictures> {
  const pictures = { count: 0, first: 0, last: 0, longestStep: 0 };
  const times = async function* () {
    for await (const { at } of printedFrames(output)) {
      const seconds = at === undefined ? Number.NaN : at / timescale;
      if (!Number.isNaN(seconds)) {
        if (pictures.count === 0) pictures.first = seconds;
        else pictures.longestStep = Math.max(pictures.longestStep, seconds - pictures.last);
        pictures.last = Math.max(pictures.last, seconds);
      }
      pictures.count += 1;
      onPicture(pictures);
      yield new Uint8Array(Float64Array.of(seconds).buffer);
    }
  };
  await pipeline(times, createWriteStream(file));
  return pictures;
}

/** The times that recordPictures has written. */
export async function recordedTimes(file: string): Promise<Float64Array> {
  return new Float64Array(Uint8Array.from(await readFile(file)).buffer);
}

/** Bytes of silence that are written at once. */
const SILENCE = Buffer.alloc(65_536);

/**
 * The decoded sound with every sample at its time, as a stream: no more of it is kept than the clock holds back.
 * @param output The decode's account of its frames; what it says of a frame comes before the frame's samples.
 * @param frameBytes Bytes of a sample of all channels.
 * @param check Throws where the clock has gone too far; nothing of what it has just asked for is written then.
 */
export async function* soundInTime(
  pcm: Output,
  output: Output,
  clock: SoundClock,
  { frameBytes, check }: { frameBytes: number; check: () => void },
): AsyncGenerator<Buffer> {
  const steps: SoundStep[] = [];
  const add = (next: SoundStep[]) => {
    check();
    steps.push(...next);
  };
  const follow = async () => {
    for await (const { at, samples } of printedSound(output)) add(clock.add(at, samples));
    add(clock.end());
  };
  const followed = follow();
  let hasFailed = false;
  // Its error is thrown below, unless that of the other output comes first.
  followed.catch(() => {
    hasFailed = true;
  });
  let pending: Buffer = Buffer.alloc(0);
  const inTime = function* (): Generator<Buffer> {
    for (let step = steps.shift(); step; step = steps.shift()) {
      if ('silence' in step) {
        for (let left = step.silence * frameBytes; left > 0; left -= SILENCE.length) yield SILENCE.subarray(0, left);
        continue;
      }
      const wanted = 'take' in step ? step.take : step.drop;
      const here = Math.min(wanted, Math.floor(pending.length / frameBytes));
      const samples = pending.subarray(0, here * frameBytes);
      pending = pending.subarray(samples.length);
      if ('take' in step && here > 0) yield samples;
      if (here === wanted) continue;
      steps.unshift('take' in step ? { take: wanted - here } : { drop: wanted - here });
      return;
    }
  };
  for await (const chunk of pcm) {
    pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
    yield* inTime();
    if (hasFailed) break;
  }
  await followed;
  yield* inTime();
}
