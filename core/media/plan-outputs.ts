import { FILES, type OptionalName } from '../contracts/outputs.ts';
import { MOST_MP4_SHORT_SIDE, NEAR, type Preset } from '../contracts/presets.ts';
import type { AudioPlan, Mp4Plan, OutputPlans, VideoPlan } from './encode-plan.ts';
import type { PlannedRung } from './ladder.ts';
import { longSide, type Size, shortSide, withLongSideAtMost, withWidthAtMost } from './size.ts';

const THUMBNAIL_WIDTH = 1280;
export const POSTER_WIDTH = 320;
/** Number of frames, spread over the whole duration, from which the most representative becomes the poster. */
const POSTER_CANDIDATES = 50;
const PREVIEW_SECONDS = 30;
const PREVIEW_SHORT_SIDE = 720;
/** The waveform's resolution. */
const PIXELS_PER_SECOND = 20;

/** What is planned before the outputs beside the ladder. The MP4 comes first: it decides which audio is encoded. */
interface Ladder {
  video: VideoPlan | undefined;
  audio: AudioPlan | undefined;
  mp4: Mp4Plan | undefined;
}

/** An output of the catalogue without a planner here is a compile error. Undefined: the source has nothing to make it from. */
const PLANNERS: { readonly [Name in OptionalName]: (ladder: Ladder) => OutputPlans[Name] | undefined } = {
  preview: ({ video, audio }) => planPreview(video, audio),
  mp4: ({ mp4 }) => mp4,
  thumbnail: ({ video }) => video && planThumbnail(video),
  poster: ({ video }) => video && planPoster(video),
  posterLarge: ({ video }) => video?.rungs[0] && { rung: video.rungs[0].name },
  waveform: ({ audio }) => audio && { pixelsPerSecond: PIXELS_PER_SECOND },
};

export function planOutputs(wanted: readonly OptionalName[], ladder: Ladder): Partial<OutputPlans> {
  const plans = wanted.map((name) => [name, PLANNERS[name](ladder)] as const);
  return Object.fromEntries(plans.filter(([, plan]) => plan !== undefined));
}

/**
 * The MP4 has the source's size up to the preset's long side, and 2160 pixels of the short one. Where the top rung is near that, the two share an encode. Otherwise it has one of its own:
 * with the top rung's bit rate, by the pixels if it is the larger one.
 */
export function planMp4(
  source: Size,
  rungs: readonly PlannedRung[],
  preset: Preset,
  hasSound: boolean,
): Mp4Plan | undefined {
  const [top] = rungs;
  if (top === undefined) return undefined;
  const { mp4LongSide } = preset;
  const shared = { file: FILES.mp4.file, ...(hasSound && { audio: '128k' as const }) };
  const inBox = longSide(source) * (MOST_MP4_SHORT_SIDE / shortSide(source));
  const own = withLongSideAtMost(source, Math.min(mp4LongSide, inBox));
  if (longSide(top) <= mp4LongSide && longSide(own) <= longSide(top) * NEAR) return { ...shared, rung: top.name };
  const byPixels = Math.max(1, (own.width * own.height) / (top.width * top.height));
  const maxBitrate = Math.round(top.maxBitrate * byPixels);
  return { ...shared, encode: { ...own, maxBitrate, x264Preset: top.x264Preset } };
}

/** The size in which pictures are decoded for all outputs: that of the largest. */
export function decodedSize(video: VideoPlan, mp4: Mp4Plan | undefined): Size | undefined {
  const [top] = video.rungs;
  const own = mp4?.encode;
  return own && top && longSide(own) > longSide(top) ? own : top;
}

function planThumbnail(video: VideoPlan): OutputPlans['thumbnail'] | undefined {
  const [top] = video.rungs;
  if (top === undefined) return undefined;
  // The smallest rung that is at least as wide as the thumbnail, so that little is scaled.
  const from = video.rungs.filter((rung) => rung.width >= THUMBNAIL_WIDTH).at(-1) ?? top;
  return { ...withWidthAtMost(from, THUMBNAIL_WIDTH), atSeconds: thumbnailTime(video), rung: from.name };
}

// A tenth of the duration, but not after the start of the last frame.
function thumbnailTime({ endSeconds, lastFrameSeconds }: VideoPlan): number {
  return Math.max(0, Math.min(endSeconds / 10, endSeconds - lastFrameSeconds - 0.001));
}

function planPoster({ rungs, endSeconds }: VideoPlan): OutputPlans['poster'] | undefined {
  const last = rungs.at(-1);
  if (last === undefined) return undefined;
  const everySeconds = endSeconds / POSTER_CANDIDATES;
  return { ...withWidthAtMost(last, POSTER_WIDTH), everySeconds, candidates: POSTER_CANDIDATES };
}

function planPreview(video: VideoPlan | undefined, audio: AudioPlan | undefined): OutputPlans['preview'] {
  if (video === undefined) return { audio: '128k', seconds: PREVIEW_SECONDS };
  const rung = video.rungs.find((candidate) => shortSide(candidate) <= PREVIEW_SHORT_SIDE) ?? video.rungs.at(-1);
  return {
    ...(rung ? { rung: rung.name } : {}),
    ...(rung && audio ? { audio: rung.audio } : {}),
    seconds: PREVIEW_SECONDS,
  };
}
