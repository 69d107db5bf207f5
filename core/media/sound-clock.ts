import { SoundHoles } from './losses.ts';

/** What to do with the next samples of the decoded sound. */
export type SoundStep = { take: number } | { drop: number } | { silence: number };

/** Sound this far from its time is left there. With FFmpeg's own 100 ms, gaps added up to more than a picture may be late. */
const TOLERATED_SECONDS = 0.04;
/** Where frames leave the clock, as many of them have to agree on the new time before anything is filled or cut. */
const AGREED_SECONDS = 0.5;

interface Frame {
  samples: number;
  /** How many samples it comes after what precedes it. Negative: before. */
  off: number;
}

/**
 * Keeps decoded sound at its times: silence from the file's start to the first sample and over gaps, a cut where sound overlaps. Patient,
 * because FFmpeg 5.1 stamps the first frame after a change of the rate half a second late.
 */
export class SoundClock {
  readonly #tolerated: number;
  readonly #agreed: number;
  #held: Frame[] = [];
  #begun = false;
  /** What is missing of the sound as it comes, before anything is filled. */
  readonly holes: SoundHoles;
  /** Samples of an overlap that are still to be dropped. */
  #due = 0;
  /** Samples so far: as decoded, of silence, dropped, and of silence before the first. */
  decoded = 0;
  filled = 0;
  cut = 0;
  before = 0;

  constructor(sampleRate: number) {
    this.holes = new SoundHoles(sampleRate);
    this.#tolerated = Math.round(TOLERATED_SECONDS * sampleRate);
    this.#agreed = Math.round(AGREED_SECONDS * sampleRate);
  }

  /** Samples from the file's start to the end of what is written. */
  get position(): number {
    return this.before + this.decoded + this.filled - this.cut - sum(this.#held);
  }

  /** @param at The frame's time in samples after the file's start; undefined where it has none. */
  add(at: number | undefined, samples: number): SoundStep[] {
    this.holes.add(at, samples);
    // The end of what comes before it, an overlap that is still being dropped included.
    const expected = this.position + sum(this.#held) - this.#due;
    this.decoded += samples;
    const off = at === undefined ? 0 : at - expected;
    if (!this.#begun) return this.#begin({ samples, off });
    if (Math.abs(off) <= this.#tolerated) return [...this.#release(), ...this.#take(samples)];
    const [first] = this.#held;
    const steps = first && Math.abs(first.off - off) > this.#tolerated ? this.#release() : [];
    this.#held.push({ samples, off });
    return sum(this.#held) >= this.#agreed ? [...steps, ...this.#move(off)] : steps;
  }

  /** Sound has ended. A single frame that left the clock agrees with no other. */
  end(): SoundStep[] {
    const last = this.#held.at(-1);
    return last && this.#held.length > 1 ? this.#move(last.off) : this.#release();
  }

  #begin({ off, samples }: Frame): SoundStep[] {
    this.#begun = true;
    if (off > 0) {
      this.before = off;
      return [{ silence: off }, { take: samples }];
    }
    this.#due = -off;
    return this.#take(samples);
  }

  #move(off: number): SoundStep[] {
    if (off < 0) {
      this.#due += -off;
      return this.#release();
    }
    this.filled += off;
    return [{ silence: off }, ...this.#release()];
  }

  #release(): SoundStep[] {
    const frames = this.#held;
    this.#held = [];
    return frames.flatMap(({ samples }) => this.#take(samples));
  }

  #take(samples: number): SoundStep[] {
    const drop = Math.min(samples, this.#due);
    this.#due -= drop;
    this.cut += drop;
    return [...(drop > 0 ? [{ drop }] : []), ...(samples > drop ? [{ take: samples - drop }] : [])];
  }
}

function sum(frames: readonly Frame[]): number {
  return frames.reduce((total, { samples }) => total + samples, 0);
}
