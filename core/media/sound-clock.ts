import { MOST_PLACES, SoundHoles } from './losses.ts';

/** What to do with the next samples of the decoded sound. */
export type SoundStep = { take: number } | { drop: number } | { silence: number };

/** Sound this far from its time is left there. With FFmpeg's own 100 ms, gaps added up to more than a picture may be late. */
const TOLERATED_SECONDS = 0.04;
/** Where frames leave the clock, they are held for as long: those that come back to it were stamped wrong, and nothing is filled or cut. */
const AGREED_SECONDS = 0.5;
/** A jump of more than this is believed if frames agree for longer than a cluster of Matroska lasts, five seconds: the time of one may be damaged. */
const JUMP_SECONDS = 10;
const JUMP_AGREED_SECONDS = 6;

/** Frames that left the clock, or the time of the frames before them, by the same number of samples. */
interface Held {
  /** How many samples they come after what was written. Negative: before. */
  off: number;
  frames: number[];
}

/**
 * Keeps decoded sound at its times: silence from the file's start to the first sample and over gaps, a cut where sound overlaps. Patient,
 * because FFmpeg 5.1 stamps the first frame after a change of the rate half a second late. Sound alone is never cut, and begins at once: what
 * overlaps follows, because no picture has to be met, and all of it is heard where others play it.
 */
export class SoundClock {
  readonly #rate: number;
  readonly #tolerated: number;
  readonly #agreed: number;
  readonly #jump: number;
  readonly #jumpAgreed: number;
  readonly #alone: boolean;
  readonly #rough: boolean;
  /** By how many samples all times of sound alone are later than they say, because it overlapped, or began before 0. Negative: after 0. */
  #later = 0;
  readonly #held: Held[] = [];
  #begun = false;
  /** What is missing of the sound as it comes, before anything is filled. */
  readonly holes: SoundHoles;
  /** The first overlaps: where in what is written, in seconds, and how much of the sound is not. */
  readonly overlaps: { at: number; seconds: number }[] = [];
  /** Samples of an overlap that are still to be dropped. */
  #due = 0;
  /** Samples from the file's start to the end of what is written. */
  position = 0;
  /** Samples so far: as decoded, of silence, dropped, and of silence before the first. */
  decoded = 0;
  filled = 0;
  cut = 0;
  before = 0;

  /**
   * @param alone Whether there are no pictures beside the sound.
   * @param rough Whether the times of the source are a guess by bytes: only that of the first frame counts.
   */
  constructor(sampleRate: number, { alone, rough = false }: { alone: boolean; rough?: boolean | undefined }) {
    this.#rate = sampleRate;
    this.#alone = alone;
    this.#rough = rough;
    this.holes = new SoundHoles(sampleRate);
    this.#tolerated = Math.round(TOLERATED_SECONDS * sampleRate);
    this.#agreed = Math.round(AGREED_SECONDS * sampleRate);
    this.#jump = JUMP_SECONDS * sampleRate;
    this.#jumpAgreed = JUMP_AGREED_SECONDS * sampleRate;
  }

  /** @param at The frame's time in samples after the file's start; undefined where it has none. */
  add(stamped: number | undefined, samples: number): SoundStep[] {
    const at = this.#rough && this.#begun ? undefined : stamped;
    this.holes.add(at, samples);
    this.decoded += samples;
    const last = this.#held.at(-1);
    const off = at === undefined ? (last?.off ?? 0) : at + this.#later - this.#expected();
    if (!this.#begun) return this.#begin(off, samples);
    if (Math.abs(off) <= this.#tolerated) return [...this.#release(), ...this.#take(samples)];
    if (last && Math.abs(last.off - off) <= this.#tolerated) last.frames.push(samples);
    else this.#held.push({ off, frames: [samples] });
    const agreed = Math.abs(off) > this.#jump ? this.#jumpAgreed : this.#agreed;
    const newest = sum(this.#held.slice(-1));
    if (newest >= agreed) return this.#move(this.#held.length);
    return sum(this.#held) - newest >= agreed ? this.#move(this.#held.length - 1) : [];
  }

  /** Sound has ended. A single frame that left the clock, or the frames before it, agrees with no other. */
  end(): SoundStep[] {
    const last = this.#held.at(-1);
    if (last?.frames.length === 1) last.off = this.#held.at(-2)?.off ?? 0;
    return this.#move(this.#held.length);
  }

  /** Where the next frame belongs if it follows those before it: what is held is written, what is due is dropped. */
  #expected(): number {
    return this.position + sum(this.#held) - this.#due;
  }

  #begin(off: number, samples: number): SoundStep[] {
    this.#begun = true;
    // A coder's delay: FFmpeg counts that of some M4A twice, and that of an MP3 of one frame is all of it.
    if (this.#alone && off < this.#agreed) {
      this.#later = -off;
      return this.#take(samples);
    }
    this.before = Math.max(0, off);
    this.#due = Math.max(0, -off);
    return [...this.#silence(this.before), ...this.#take(samples)];
  }

  /**
   * Puts the first `count` of what is held at its times. What went further than what follows it, or the other way, was stamped wrong: it goes
   * with what follows.
   */
  #move(count: number): SoundStep[] {
    let next = this.#held.at(-1)?.off ?? 0;
    for (const held of this.#held.toReversed()) {
      held.off = Math.min(Math.max(held.off, Math.min(0, next)), Math.max(0, next));
      next = held.off;
    }
    let moved = 0;
    const steps = this.#held.splice(0, count).flatMap(({ off, frames }) => {
      this.#due -= off - moved;
      moved = off;
      if (this.#alone && this.#due > 0) {
        this.#later += this.#due;
        this.#due = 0;
      }
      const gap = Math.max(0, -this.#due);
      this.#due += gap;
      this.filled += gap;
      return [...this.#silence(gap), ...frames.flatMap((samples) => this.#take(samples))];
    });
    for (const held of this.#held) held.off -= moved;
    return steps;
  }

  /** What left the clock has come back to it: it was stamped wrong. */
  #release(): SoundStep[] {
    return this.#held.splice(0).flatMap(({ frames }) => frames.flatMap((samples) => this.#take(samples)));
  }

  #silence(samples: number): SoundStep[] {
    this.position += samples;
    return samples > 0 ? [{ silence: samples }] : [];
  }

  #take(samples: number): SoundStep[] {
    const drop = Math.min(samples, this.#due);
    if (drop > 0) this.#drop(drop);
    this.position += samples - drop;
    return [...(drop > 0 ? [{ drop }] : []), ...(samples > drop ? [{ take: samples - drop }] : [])];
  }

  #drop(samples: number): void {
    this.#due -= samples;
    this.cut += samples;
    const [at, seconds] = [this.position, samples].map((count) => count / this.#rate) as [number, number];
    const last = this.overlaps.at(-1);
    if (last?.at === at) last.seconds += seconds;
    else if (this.overlaps.length < MOST_PLACES) this.overlaps.push({ at, seconds });
  }
}

function sum(held: readonly Held[]): number {
  return held.reduce((samples, { frames }) => samples + total(frames), 0);
}

function total(frames: readonly number[]): number {
  return frames.reduce((samples, frame) => samples + frame, 0);
}
