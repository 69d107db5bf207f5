/**
 * Minimum and maximum per pixel of 16-bit sound, as audiowaveform computes them for `--bits 8`: channels are averaged with the
 * fraction cut off, pixels hold a whole number of samples, and values are divided by 256, rounded down.
 * https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
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

  /** Takes whole frames of interleaved samples; gives the pixels that they complete: min, max, min, max… */
  add(samples: Int16Array): number[] {
    const pixels: number[] = [];
    const channels = this.#channels;
    for (let at = 0; at + channels <= samples.length; at += channels) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += samples[at + channel] ?? 0;
      const value = Math.trunc(sum / channels);
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      this.#count += 1;
      if (this.#count === this.#samplesPerPixel) pixels.push(...this.end());
    }
    return pixels;
  }

  /** The last pixel, if samples are left over. */
  end(): number[] {
    if (this.#count === 0) return [];
    const pixel = [this.#min >> 8, this.#max >> 8];
    this.#min = 32_767;
    this.#max = -32_768;
    this.#count = 0;
    this.length += 1;
    return pixel;
  }
}
