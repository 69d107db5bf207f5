import { z } from 'zod';
import { DropreelError } from '../contracts/errors.ts';
import { type Warning, warning } from '../contracts/warnings.ts';
import type { AudioPlan, EncodePlan, VideoPlan } from './encode-plan.ts';
import { leadFrames } from './lead.ts';
import { checkDuration } from './probe.ts';

/** The pictures that the decoder gave. Times in seconds after the file's start. */
export const DecodedPictures = z.object({
  count: z.number().int(),
  first: z.number(),
  last: z.number(),
  /** The longest time from one to the next. */
  longestStep: z.number(),
});
export type DecodedPictures = z.infer<typeof DecodedPictures>;

/** The sound that the decoder gave and what became of it, in samples at the rate of the renditions. */
export const DecodedSound = z.object({
  samples: z.number().int(),
  /** Silence before the first sample. */
  before: z.number().int(),
  /** Silence in gaps. */
  filled: z.number().int(),
  /** Dropped where sound overlapped. */
  cut: z.number().int(),
});
export type DecodedSound = z.infer<typeof DecodedSound>;

/** What was decoded of the tracks that were taken: the measure of every output. */
export const Decoded = z.object({ pictures: DecodedPictures.optional(), sound: DecodedSound.optional() });
export type Decoded = z.infer<typeof Decoded>;

/** Seconds of sound that were written. */
function soundSeconds({ samples, before, filled, cut }: DecodedSound, sampleRate: number): number {
  return (samples + before + filled - cut) / sampleRate;
}

/** Seconds from the file's start to the end of the last picture or of the sound, whichever is later. */
export function decodedSeconds({ pictures, sound }: Decoded, { video, audio }: EncodePlan): number {
  const picture = pictures && video ? pictures.last + video.lastFrameSeconds : 0;
  return Math.max(picture, sound && audio ? soundSeconds(sound, audio.sampleRate) : 0);
}

/** Of what a container announces, so much may be missing: half a second, or a hundredth. */
const isMuch = (missing: number, announced: number) => missing > Math.max(0.5, announced / 100);
/** Containers round, and coders fill their last frame: less is not a sign of a cut. */
const LITTLE_SECONDS = 0.1;

/**
 * What a file holds less than it announces.
 * @returns a warning where that is little
 * @throws DropreelError `truncated` where it is much
 */
export function checkEnd(announced: number, held: number): Warning[] {
  const missing = announced - held;
  const what = `it announces ${announced.toFixed(1)} s and holds ${held.toFixed(1)} s.`;
  if (isMuch(missing, announced)) throw new DropreelError('truncated', `The file is cut off: ${what}`);
  return missing > LITTLE_SECONDS ? [warning('end_missing', `The end of the file is missing: ${what}`, held)] : [];
}

interface Short {
  what: 'pictures' | 'sound';
  announced: number;
  held: number;
}

/** The taken tracks of which less was decoded than the container names. Only an index of the samples counts, or packets that were read. */
function shortTracks({ pictures, sound }: Decoded, { video, audio }: EncodePlan): Short[] {
  const tracks: Short[] = [];
  if (video && pictures) {
    tracks.push({ what: 'pictures', announced: video.endSeconds, held: pictures.last + video.lastFrameSeconds });
  }
  if (audio && sound) {
    tracks.push({ what: 'sound', announced: audio.endSeconds, held: soundSeconds(sound, audio.sampleRate) });
  }
  return tracks.filter(({ announced, held }) => announced - held > LITTLE_SECONDS);
}

const shortText = ({ what, announced, held }: Short) =>
  `Of ${announced.toFixed(1)} s of ${what}, ${held.toFixed(1)} s could be decoded.`;

/** The tracks of which much is missing at the end, each in a sentence. */
export function shortfalls(decoded: Decoded, plan: EncodePlan): string[] {
  return shortTracks(decoded, plan)
    .filter(({ announced, held }) => isMuch(announced - held, announced))
    .map(shortText);
}

/**
 * Whether a track that ends early was cut off: its index, or a complaint, says so. Where its packets were read, and nothing complains, their
 * decoder gives nothing for the last ones: screen recorders write packets of pictures that do not change.
 */
export function isCutOff({ indexed }: EncodePlan, fault: string | undefined): boolean {
  return indexed || fault !== undefined;
}

/** Of the tracks of which a little is missing at the end, or which are not cut off. Where recordings are joined, their lengths are a guess. */
export function endWarnings(decoded: Decoded, plan: EncodePlan, fault?: string): Warning[] {
  if (plan.joined) return [];
  return shortTracks(decoded, plan)
    .filter(({ announced, held }) => !isMuch(announced - held, announced) || !isCutOff(plan, fault))
    .map((short) => warning('end_missing', shortText(short), short.held));
}

/** A measured end may be a guess: of raw streams, whose packets have no times, it may be half of the true one. */
const FAR = { times: 2, seconds: 60 };

/**
 * Ends the work on a file whose time jumps: what it leaves out would be filled with hours of silence or of one picture.
 * @param at Seconds from the file's start, as decoded.
 * @throws DropreelError `corrupt` far behind the measured end, `limit_duration` behind any
 */
export function checkTime(what: 'picture' | 'sound', at: number, endSeconds: number, { joined }: EncodePlan): void {
  checkDuration(at);
  if (joined || endSeconds === 0 || at <= FAR.times * endSeconds + FAR.seconds) return;
  const message = `The file is damaged: the time of its ${what} jumps to ${at.toFixed(1)} s, and its end is at ${endSeconds.toFixed(1)} s.`;
  throw new DropreelError('corrupt', message);
}

/** More than all rounding of clocks, less than half of the shortest frame. */
const ROUNDING = 0.002;
/**
 * Faults of a rung's pictures: each decoded picture must be shown once, at its time. A picture that is not later than the one before it may
 * be missing, or be a tick later.
 * @param shown Times of the rung's pictures in seconds, in order.
 * @param decoded Times of the decoded pictures, in the order of the decoder. NaN: without a time.
 * @param fromStart Whether they are those from the file's start on, of which the first is shown at 0.
 */
export function pictureFaults(
  file: string,
  shown: ArrayLike<number>,
  decoded: ArrayLike<number>,
  video: VideoPlan,
  fromStart = true,
): string[] {
  const added = video.lead && video.frameRate ? leadFrames(video.lead, video.frameRate).count : 0;
  const first = decoded[0] ?? 0;
  const moved = video.lead ? video.lead - first : 0;
  if (Math.abs(moved) > lateBy(video)) {
    return [`${file}: its first picture comes at ${first.toFixed(3)} s, not at ${video.lead?.toFixed(3)} s`];
  }
  if (video.retime) {
    const frame = video.retime.den / video.retime.num;
    return retimedFaults(file, shown, latest(decoded) + moved, { frame, added, lead: video.lead });
  }
  let at = added;
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < decoded.length; i++) {
    const own = i === 0 && fromStart && !video.lead ? 0 : Math.max(0, (decoded[i] ?? 0) + moved);
    const time = shown[at];
    const isLater = own > before;
    const expected = isLater ? own : before + 1 / video.timescale;
    if (time !== undefined && (Number.isNaN(own) || Math.abs(time - expected) <= ROUNDING)) {
      at += 1;
      before = Math.max(before, time);
      continue;
    }
    if (!isLater) continue;
    const instead = time === undefined ? 'is missing' : `is shown at ${time.toFixed(3)} s`;
    return [`${file}: picture ${i} of ${decoded.length}, of ${own.toFixed(3)} s, ${instead}`];
  }
  return at === shown.length ? [] : [`${file} shows ${shown.length - added} pictures of ${decoded.length}`];
}

/** By how much a late picture may be moved: what an ear does not tell from the sound, or a frame. */
function lateBy({ frameRate }: VideoPlan): number {
  return Math.max(0.05, frameRate ? frameRate.den / frameRate.num : 0);
}

/** Of pictures at a lower rate: they follow each other at that rate, from those that fill the time before a late one to the last one. */
function retimedFaults(
  file: string,
  shown: ArrayLike<number>,
  end: number,
  { frame, added, lead }: { frame: number; added: number; lead: number | undefined },
): string[] {
  const first = shown[added] ?? 0;
  // The lower rate has no nearer time than that of a frame.
  if (lead !== undefined && Math.abs(first - lead) > frame + ROUNDING) {
    return [`${file}: its first picture is shown at ${first.toFixed(3)} s, not at ${lead.toFixed(3)} s`];
  }
  for (let i = added + 1; i < shown.length; i++) {
    const step = (shown[i] ?? 0) - (shown[i - 1] ?? 0);
    if (Math.abs(step - frame) > ROUNDING) return [`${file}: picture ${i} comes ${step.toFixed(3)} s after the last`];
  }
  const last = shown[shown.length - 1] ?? 0;
  if (Math.abs(last - end) <= 1.5 * frame) return [];
  return [`${file}: its last picture comes at ${last.toFixed(3)} s, that of its source at ${end.toFixed(3)} s`];
}

function latest(times: ArrayLike<number>): number {
  let found = 0;
  for (let i = 0; i < times.length; i++) found = Math.max(found, times[i] || 0);
  return found;
}

/** Samples of an AAC frame. */
const AAC_SAMPLES = 1024;

/**
 * Faults of a rendition's sound: it must hold what was decoded, within a frame, by its durations and by its frames.
 * @param seconds The result of presentedSeconds.
 * @param frames AAC frames, of which the first holds what precedes the sound.
 */
export function soundFaults(
  rendition: { file: string; seconds: number; frames: number },
  sound: DecodedSound,
  { sampleRate }: AudioPlan,
): string[] {
  const { file, seconds, frames } = rendition;
  const expected = soundSeconds(sound, sampleRate);
  const frame = AAC_SAMPLES / sampleRate;
  const held = (frames - 1) * frame;
  const off = [seconds, held].find((found) => Math.abs(found - expected) > frame + ROUNDING);
  return off === undefined ? [] : [`${file} lasts ${off.toFixed(3)} s, its source ${expected.toFixed(3)} s`];
}
