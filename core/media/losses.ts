import { DropreelError } from '../contracts/errors.ts';
import { type Warning, warning } from '../contracts/warnings.ts';
import type { VideoPlan } from './encode-plan.ts';
import { leadFrames } from './lead.ts';

/** What damage in the middle of a source has cost: a little is said, much is refused. */

/** More than this part of a track's pictures or frames of sound is much, if it is more than a few. */
const MUCH = 0.1;
const FEW = 10;

/** @throws DropreelError `corrupt` when a viewer would not take it for the same media */
export function checkLosses(what: 'pictures' | 'frames of sound', lost: number, all: number, fault: string): void {
  if (lost <= FEW || lost <= MUCH * all) return;
  const message = `The file is damaged: ${lost} of ${all} ${what} are damaged or lost (${fault}).`;
  throw new DropreelError('corrupt', message);
}

/** Pictures that follow each other, of which the decoder complained. */
export interface DamagedRun {
  /** Number of the first in the order of the decoder, from 0. */
  first: number;
  /** How many had parts that were concealed. */
  concealed: number;
  /** How many the decoder complained of. */
  told: number;
  /** Number of the keyframe after which nothing of it is seen; absent: to the end. */
  until?: number;
  /** The first complaint. */
  why: string;
}

/** More of them are counted, not kept. */
export const MOST_PLACES = 50;

/** Follows pictures that are decoded anew. Damage is seen in those after it, until the next keyframe that is whole. */
export class DamageLog {
  readonly runs: DamagedRun[] = [];
  #open: DamagedRun | undefined;
  concealed = 0;
  pictures = 0;

  /** @param why The decoder's complaint of this picture, where it has one. */
  add(isKey: boolean, concealed: boolean, why: string | undefined): void {
    const number = this.pictures++;
    if (!concealed && why === undefined) {
      if (isKey && this.#open) {
        this.#open.until = number;
        this.#open = undefined;
      }
      return;
    }
    if (!this.#open) {
      this.#open = { first: number, concealed: 0, told: 0, why: why ?? 'parts of it are missing' };
      if (this.runs.length < MOST_PLACES) this.runs.push(this.#open);
    }
    this.#open.told += 1;
    if (concealed) {
      this.#open.concealed += 1;
      this.concealed += 1;
    }
  }
}

/** @param times Of the decoded pictures, in seconds, in the order of the decoder. */
export function runWarnings(runs: readonly DamagedRun[], times: ArrayLike<number>): Warning[] {
  return runs.map(({ first, concealed, told, until, why }) => {
    const end = until === undefined ? 'the end' : `${(times[until] ?? 0).toFixed(1)} s`;
    const what = concealed > 0 ? `${some(concealed, 'damaged picture')}` : `${some(told, 'doubtful picture')}`;
    const trace = `which may be seen in those that follow, up to ${end}`;
    return warning('picture_damaged', `${what}, ${trace}: ${why}`, finite(times[first]));
  });
}

/**
 * Packets of a picture that gave none.
 * @param frameSeconds How long a picture lasts; undefined where that has no value.
 */
export function lostPictures(lost: number, times: ArrayLike<number>, frameSeconds: number | undefined): Warning[] {
  if (lost === 0) return [];
  const holes = holesIn(times, frameSeconds, lost);
  const text = `${some(lost, 'picture')} could not be decoded`;
  // With more gaps than losses, some of them are the source's own.
  if (holes.length === 0 || holes.length > lost) return [warning('picture_damaged', `${text}.`)];
  const where = holes.length === 1 ? '' : `, in ${holes.length} places from here on`;
  return [warning('picture_damaged', `${text}${where}.`, holes[0]?.at)];
}

interface Hole {
  at: number;
  seconds: number;
}

/** Where pictures follow each other more slowly than they do: one more place than the most, at most. */
function holesIn(times: ArrayLike<number>, frameSeconds: number | undefined, most: number): Hole[] {
  const holes: Hole[] = [];
  for (let i = 1; frameSeconds !== undefined && i < times.length && holes.length <= most; i++) {
    const [before = 0, after = 0] = [times[i - 1], times[i]];
    const seconds = after - before - frameSeconds;
    if (seconds > 0.8 * frameSeconds) holes.push({ at: before + frameSeconds, seconds });
  }
  return holes;
}

/**
 * Of a transport stream or an Ogg file with gaps in its counters, of which no decoder complained: where time passes without pictures or sound.
 * Without such a place it was joined, and nothing is lost.
 * @param gap What is known of the gaps.
 */
export function missingParts(
  gap: string,
  times: ArrayLike<number>,
  frameSeconds: number | undefined,
  sound: SoundHoles['places'],
): Warning[] {
  const pictures = holesIn(times, frameSeconds, FEW);
  // In so many places it is the source's own rate or silence.
  if (pictures.length > FEW || sound.length > FEW) {
    return [warning('source_damaged', `Parts of the file are missing: ${gap}`)];
  }
  const missing = pictures.map(({ at, seconds }) => {
    const count = Math.round(seconds / (frameSeconds ?? 1));
    return warning('picture_damaged', `${some(count, 'picture')} ${count === 1 ? 'is' : 'are'} missing.`, at);
  });
  return [...missing, ...lostSound(0, sound)];
}

/**
 * Pictures that were decoded and are in no rung: verification lets those pass that are not later than the one before.
 * @param frames Pictures of a rung.
 * @throws DropreelError `corrupt` when they are many
 */
export function leftOut(video: VideoPlan, frames: number | undefined, times: ArrayLike<number>): Warning[] {
  if (video.retime || frames === undefined) return [];
  const added = video.lead && video.frameRate ? leadFrames(video.lead, video.frameRate).count : 0;
  const count = times.length + added - frames;
  if (count <= 0) return [];
  checkStepsBack('pictures', count, times.length);
  let latest = Number.NEGATIVE_INFINITY;
  let at: number | undefined;
  for (let i = 0; at === undefined && i < times.length; i++) {
    const time = times[i] ?? Number.NaN;
    if (time <= latest) at = latest;
    if (time > latest) latest = time;
  }
  return [warning('pictures_left_out', `${some(count, 'picture')} stepped back in time: left out.`, at)];
}

/**
 * @param what Of all, so much comes at a time that has passed.
 * @throws DropreelError `corrupt` when that is much
 */
function checkStepsBack(what: 'pictures' | 'samples of sound', lost: number, all: number): void {
  if (lost <= FEW || lost <= MUCH * all) return;
  const joined = 'Recordings that were joined byte by byte have to be joined by a program that adjusts their times.';
  const message = `The time of the file steps back: ${lost} of ${all} ${what} come after later ones. ${joined}`;
  throw new DropreelError('corrupt', message);
}

/** More than the rounding of any clock, less than a frame of sound. */
const HOLE_SECONDS = 0.008;

/** Follows the frames of decoded sound: where time passes between two of them, something is missing. */
export class SoundHoles {
  readonly #rate: number;
  #next: number | undefined;
  frames = 0;
  /** How many there are. */
  count = 0;
  /** The first ones, in seconds. */
  readonly places: { at: number; seconds: number }[] = [];

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
  }

  /** @param at Time of a frame, in samples; undefined where it has none. */
  add(at: number | undefined, samples: number): void {
    this.frames += 1;
    const begins = at ?? this.#next ?? 0;
    const missing = (begins - (this.#next ?? begins)) / this.#rate;
    if (missing > HOLE_SECONDS) {
      this.count += 1;
      if (this.places.length < MOST_PLACES) this.places.push({ at: begins / this.#rate - missing, seconds: missing });
    }
    this.#next = begins + samples;
  }
}

/**
 * Sound with many frames in a packet, of which FFmpeg decodes the first one only: AMR in 3GP by FFmpeg 5.1, E-AC-3 in MP4.
 * @param sound Samples that were decoded, and of silence between them.
 * @throws DropreelError `unsupported_codec` when most of what would be heard is the silence between the frames
 */
export function checkPackets({ frames, count }: SoundHoles, sound: { samples: number; filled: number }): void {
  if (count <= FEW || count < frames / 2 || sound.filled < sound.samples) return;
  const message = 'FFmpeg decodes only the beginning of each packet of its sound: the rest would be silence.';
  throw new DropreelError('unsupported_codec', message);
}

/** Where a decoder drops a few samples at its start, they are silence or noise of the coder. */
const HEARD_SECONDS = 0.04;

/** Packets of sound that gave none, and where sound is missing: a demuxer leaves out damaged packets, too. */
export function lostSound(lost: number, places: SoundHoles['places']): Warning[] {
  if (lost > 0 && places.length === 0) {
    return [warning('sound_damaged', `${some(lost, 'frame')} of sound could not be decoded.`)];
  }
  return places.map(({ at, seconds }) => warning('sound_damaged', `${seconds.toFixed(2)} s of sound are missing.`, at));
}

/**
 * Sound that is not written because the time of what comes before it has not passed. Nobody hears less than HEARD_SECONDS of it.
 * @throws DropreelError `corrupt` when it is much
 */
export function overlappingSound(
  { samples, cut }: { samples: number; cut: number },
  overlaps: SoundHoles['places'],
): Warning[] {
  checkStepsBack('samples of sound', cut, samples);
  return overlaps
    .filter(({ seconds }) => seconds >= HEARD_SECONDS)
    .map(({ at, seconds }) => {
      return warning('sound_left_out', `${seconds.toFixed(2)} s of sound stepped back in time: left out.`, at);
    });
}

function some(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function finite(time: number | undefined): number | undefined {
  return Number.isFinite(time) ? time : undefined;
}
