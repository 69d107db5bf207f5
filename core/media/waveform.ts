/**
 * Minimum and maximum per pixel of 16-bit audio, as audiowaveform computes them for `--bits 8`: channels are averaged, samples are
 * compared unchanged, and the result is divided by 256; every division truncates. 3,548 values of audiowaveform's own test
 * file are the same. https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
 */
export class Peaks {
  readonly #channels: number;
  readonly #samplesPerPixel: number;
  #min = 32_767;
  #max = -32_768;
  #count = 0;
  /** Pixels so far. */
  length = 0;

  constructor(channels: number, samplesPerPixel: number) {
    this.#channels = channels;
    this.#samplesPerPixel = samplesPerPixel;
  }

  /** Takes whole frames of interleaved samples; returns the pixels that they complete: min, max, min, max… */
  add(samples: Int16Array): number[] {
    const pixels: number[] = [];
    const channels = this.#channels;
    // Local variables, because fields would be looked up for each of an hour's 160 million samples.
    let min = this.#min;
    let max = this.#max;
    let left = this.#samplesPerPixel - this.#count;
    for (let at = 0; at + channels <= samples.length; at += channels) {
      let value = samples[at] ?? 0;
      if (channels === 2) value += samples[at + 1] ?? 0;
      else for (let channel = 1; channel < channels; channel++) value += samples[at + channel] ?? 0;
      if (channels > 1) value = (value / channels) | 0;
      if (value < min) min = value;
      if (value > max) max = value;
      left -= 1;
      if (left > 0) continue;
      pixels.push(toByte(min), toByte(max));
      min = 32_767;
      max = -32_768;
      left = this.#samplesPerPixel;
    }
    this.#min = min;
    this.#max = max;
    this.#count = this.#samplesPerPixel - left;
    this.length += pixels.length / 2;
    return pixels;
  }

  /** The last pixel, if samples are left over. */
  end(): number[] {
    if (this.#count === 0) return [];
    this.#count = 0;
    this.length += 1;
    return [toByte(this.#min), toByte(this.#max)];
  }
}

function toByte(sample: number): number {
  return (sample / 256) | 0;
}
