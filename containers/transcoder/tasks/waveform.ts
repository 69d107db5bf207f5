import { createWriteStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { FILES } from '../../../core/contracts/outputs.ts';
import { checkDuration } from '../../../core/media/probe.ts';
import { SoundClock } from '../../../core/media/sound-clock.ts';
import { Peaks } from '../../../core/media/waveform.ts';
import { soundInTime } from '../decode-record.ts';
import { ONE_THREAD_OF_SOUND } from '../ffmpeg/arguments.ts';
import { Complaints } from '../ffmpeg/complaints.ts';
import { confined } from '../ffmpeg/demuxers.ts';
import { SOUND_LABEL, SOUNDS_FD, waveformGraph } from '../ffmpeg/filters.ts';
import { checkExit, spawnFfmpeg, type Tools } from '../ffmpeg/run.ts';
import type { Input } from '../input/input.ts';
import type { Task } from './task.ts';

const Drawn = z.object({
  /** Seconds of sound, gaps included. */
  seconds: z.number(),
  /** Pixels. */
  length: z.number(),
});
type Drawn = z.infer<typeof Drawn>;

/** The waveform of an audio file, which is decoded once more for it. */
export const waveformTask: Task<Drawn> = {
  name: 'waveform',
  outcome: Drawn,
  isNeeded: (plan) => plan.waveform !== undefined,
  async run({ tools, input, scratch, plan, signal }) {
    const { audio, waveform } = plan;
    if (!audio || !waveform) throw new Error('The plan has no audio for a waveform.');
    return writeWaveform(tools, {
      input,
      track: audio.track,
      ...(audio.right !== undefined && { right: audio.right }),
      ...(audio.mix !== undefined && { mix: audio.mix }),
      channels: audio.mix === undefined ? audio.sourceChannels : audio.channels,
      sampleRate: audio.sourceRate,
      pixelsPerSecond: waveform.pixelsPerSecond,
      jumpSeconds: plan.jumpSeconds,
      target: join(scratch.out, FILES.waveform.file),
      signal,
    });
  },
};

export interface WaveformRequest {
  input: Input;
  /** FFmpeg's index of the track. */
  track: number;
  /** The track of the other side, where there is one. */
  right?: number;
  /** As in the plan. */
  mix?: string;
  channels: number;
  /** Hz */
  sampleRate: number;
  pixelsPerSecond: number;
  /** Seconds from which on a step of the source's clock is a jump. */
  jumpSeconds: number;
  target: string;
  signal: AbortSignal;
}

/** Digits reserved for the pixel count in the file's head, which is written before the count is known. */
const LENGTH_DIGITS = 10;
/** Values that are written at once. */
const BATCH = 8192;

/**
 * Writes audiowaveform's JSON, version 2, 8 bits. FFmpeg decodes to PCM on its stdout; minima and maxima are computed as it arrives, so
 * memory does not grow with the length.
 */
export async function writeWaveform(tools: Tools, request: WaveformRequest): Promise<Drawn> {
  const { channels, sampleRate, target } = request;
  const samplesPerPixel = Math.floor(sampleRate / request.pixelsPerSecond);
  const head = `{"version":2,"channels":1,"sample_rate":${sampleRate},"samples_per_pixel":${samplesPerPixel},"bits":8,"length":`;
  const part = `${target}.part`;
  const peaks = new Peaks(channels, samplesPerPixel);
  let frames = 0;
  const text = async function* () {
    yield `${head}${' '.repeat(LENGTH_DIGITS)},"data":[`;
    let separator = '';
    let pending: number[] = [];
    for await (const samples of decode(tools, request)) {
      frames += samples.length / channels;
      pending.push(...peaks.add(samples));
      if (pending.length < BATCH) continue;
      yield separator + pending.join(',');
      separator = ',';
      pending = [];
    }
    pending.push(...peaks.end());
    if (pending.length > 0) yield separator + pending.join(',');
    yield ']}\n';
  };
  await pipeline(text, createWriteStream(part));
  await writeAt(part, head.length, String(peaks.length).padStart(LENGTH_DIGITS));
  await rename(part, target);
  return { seconds: frames / sampleRate, length: peaks.length };
}

/** Whole frames of interleaved 16-bit samples, at their times. */
async function* decode(tools: Tools, request: WaveformRequest): AsyncGenerator<Int16Array> {
  const { input, channels, sampleRate, signal } = request;
  const format = ['-c:a', 'pcm_s16le', '-ac', String(channels), '-ar', String(sampleRate), '-f', 's16le'];
  const args = [
    ...['-v', 'level+error', ...confined(input.protocols), '-dts_delta_threshold', String(request.jumpSeconds)],
    ...ONE_THREAD_OF_SOUND,
    ...['-i', input.nameIn(input.directory), '-filter_complex', waveformGraph(request), '-map', SOUND_LABEL],
    ...[...format, '-bsf:a', 'setts=ts=N', '-flush_packets', '0', 'pipe:1'],
  ];
  const child = spawnFfmpeg(tools, args, { cwd: input.directory, signal }, ['ignore', 'pipe']);
  const said = new Complaints();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.add(text);
  });
  const frameBytes = channels * 2;
  let started = false;
  let rest: Uint8Array = new Uint8Array();
  const account = child.stdio[SOUNDS_FD] as Readable;
  const clock = new SoundClock(sampleRate, { alone: true });
  const check = () => checkDuration(clock.position / sampleRate);
  for await (const chunk of soundInTime(child.stdout, account, clock, { frameBytes, check })) {
    const bytes: Uint8Array = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const whole = bytes.length - (bytes.length % frameBytes);
    started ||= whole > 0;
    yield samplesOf(bytes.subarray(0, whole));
    rest = bytes.subarray(whole);
  }
  const result = await child;
  signal.throwIfAborted();
  checkExit(result, said, started);
}

// An Int16Array must begin at an even address.
function samplesOf(bytes: Uint8Array): Int16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes);
  return new Int16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

async function writeAt(path: string, position: number, text: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.write(text, position);
  } finally {
    await handle.close();
  }
}
