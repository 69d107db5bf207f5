import { execa } from 'execa';
import { TOOLS } from './media.ts';

/** Hz. */
const RATE = 48_000;
/** Samples of a window, a third of a second: a line of a Blackman-Harris window is four bins of 2.9 Hz to each side. */
const WINDOW = 16_384;
const LINE_BINS = 6;

/** The first channel of a file or playlist, from -1 to 1, at 48 kHz. Its first sample is that of time 0. */
export async function soundOf(path: string): Promise<Float32Array> {
  const args = [
    '-v',
    'error',
    '-i',
    path,
    '-map',
    '0:a:0',
    '-af',
    `pan=mono|c0=c0,aresample=${RATE}`,
    '-f',
    'f32le',
    '-',
  ];
  const { stdout } = await execa(TOOLS.ffmpeg, args, { encoding: 'buffer' });
  return new Float32Array(stdout.buffer, stdout.byteOffset, Math.floor(stdout.byteLength / 4));
}

/** How loud the loudest frequency is that is not the tone's, against the tone, in dB: within a sixth of a second of each of these times. */
export function besideTone(sound: Float32Array, hertz: number, seconds: readonly number[]): number {
  const each = seconds.map((at) => {
    const from = Math.round(at * RATE) - WINDOW / 2;
    const levels = spectrum(sound.subarray(from, from + WINDOW));
    const line = Math.round((hertz * WINDOW) / RATE);
    const isLine = (bin: number) => Math.abs(bin - line) <= LINE_BINS;
    const loudest = (wanted: (bin: number) => boolean) =>
      levels.reduce((most, level, bin) => (wanted(bin) ? Math.max(most, level) : most), 0);
    return 20 * Math.log10(loudest((bin) => !isLine(bin)) / loudest(isLine));
  });
  return Math.max(...each);
}

/** When the sound first gets louder than that, in seconds, from a time on. */
export function loudFrom(sound: Float32Array, level: number, since: number): number {
  const from = Math.round(since * RATE);
  return (from + sound.subarray(from).findIndex((sample) => Math.abs(sample) > level)) / RATE;
}

/** Amplitudes of the frequencies up to half the rate, of a power of two of samples. */
function spectrum(samples: Float32Array): Float64Array {
  const size = samples.length;
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  const bits = Math.log2(size);
  for (let i = 0; i < size; i++) {
    let to = 0;
    for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) to |= 1 << (bits - 1 - bit);
    const phase = (2 * Math.PI * i) / size;
    const shape = 0.35875 - 0.48829 * Math.cos(phase) + 0.14128 * Math.cos(2 * phase) - 0.01168 * Math.cos(3 * phase);
    real[to] = (samples[i] ?? 0) * shape;
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [cos, sin] = [Math.cos((Math.PI * k) / half), -Math.sin((Math.PI * k) / half)];
      for (let i = k; i < size; i += 2 * half) {
        const j = i + half;
        const [a, b] = [real[j] ?? 0, imaginary[j] ?? 0];
        const [x, y] = [a * cos - b * sin, a * sin + b * cos];
        const [u, v] = [real[i] ?? 0, imaginary[i] ?? 0];
        [real[i], imaginary[i], real[j], imaginary[j]] = [u + x, v + y, u - x, v - y];
      }
    }
  }
  return Float64Array.from({ length: size / 2 }, (_, i) => Math.hypot(real[i] ?? 0, imaginary[i] ?? 0));
}
