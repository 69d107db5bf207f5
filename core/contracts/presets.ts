import { z } from 'zod';
import { each, OPTIONAL_NAMES } from './outputs.ts';

/**
 * What to make from a source. Presets are data with a version: a changed preset gets the next number, and what a version says never changes.
 * The schemas here say what rows hold, whichever release wrote them; what may be given is in preset-settings.ts.
 */

export const Rung = z.object({
  /** `1080p`: the short side in pixels. */
  name: z.string(),
  shortSide: z.number().int().positive(),
  /** Bits per second; the cap over the CRF. */
  maxBitrate: z.number().int().positive(),
  audio: z.enum(['128k', '64k']),
});
export type Rung = z.infer<typeof Rung>;

export const PresetContent = z.object({
  rungs: z.array(Rung).min(1),
  /** x264's CRF, 0 to 51; lower is better. */
  crf: z.number().min(0).max(51),
  /** Of the pictures. */
  codec: z.enum(['h264']).default('h264'),
  /** Pictures a second: of a faster source every second, third… is kept. A preset from before it was here has what all presets had. */
  maxFrameRate: z.number().positive().default(60),
  /** Seconds of a segment. A preset from before it was here has what all presets had. */
  segmentSeconds: z.number().int().positive().default(6),
  /** Long side of the MP4 at most, in pixels. A job created before it was here has what all presets had. */
  mp4LongSide: z.number().int().positive().default(2400),
  /** Integrated loudness of the sound (ITU-R BS.1770), in LUFS. Absent: as loud as the source. */
  loudnessTarget: z.number().negative().optional(),
  /** Which outputs are wanted. Absent means not wanted: a job created before an output existed has none of it. */
  outputs: z.object(each(OPTIONAL_NAMES, () => z.boolean().default(false))),
});
export type PresetContent = z.infer<typeof PresetContent>;

export const Preset = PresetContent.extend({ name: z.string(), version: z.number().int().positive() });
export type Preset = z.infer<typeof Preset>;

/** What a preset says, without its name and version. */
export function contentOf({ name: _name, version: _version, ...content }: Preset): PresetContent {
  return content;
}

/** A rung that is smaller or larger than the source, or than the MP4, by no more than this stands for its size. */
export const NEAR = 1.1;
/** Pixels of an MP4, whatever its shape. A square of 3840 would be above level 5.2 of H.264: 36,864 blocks of 16x16 (ITU-T H.264, table A-1). */
export const MOST_MP4_SHORT_SIDE = 2160;

const LADDER: Rung[] = [
  { name: '2160p', shortSide: 2160, maxBitrate: 16_000_000, audio: '128k' },
  { name: '1440p', shortSide: 1440, maxBitrate: 9_000_000, audio: '128k' },
  { name: '1080p', shortSide: 1080, maxBitrate: 5_000_000, audio: '128k' },
  { name: '720p', shortSide: 720, maxBitrate: 2_500_000, audio: '128k' },
  { name: '480p', shortSide: 480, maxBitrate: 1_000_000, audio: '128k' },
  { name: '360p', shortSide: 360, maxBitrate: 500_000, audio: '64k' },
];
const OUTPUTS: Preset['outputs'] = {
  ...{ mp4: true, preview: true, poster: true, posterLarge: true, thumbnail: true, waveform: true },
};
const preset = (name: string, topShortSide: number, mp4LongSide = 2400): Preset => ({
  name,
  version: 3,
  codec: 'h264',
  maxFrameRate: 60,
  segmentSeconds: 6,
  mp4LongSide,
  rungs: LADDER.filter((rung) => rung.shortSide <= topShortSide),
  crf: 23,
  outputs: OUTPUTS,
});

/** Media of the sample of a roll-out at most: it is for people to look at. */
export const MOST_IN_SAMPLE = 100;

/** Versions of all presets that a creator ever had: they stay, because versions of media name them. 1 KB each. */
export const MOST_PRESET_VERSIONS = 10_000;

export const DEFAULT_PRESET = 'standard';

/** The built-in ones, by name. `standard` goes up to 1080p, `uhd` to 2160p where the source has it, `compact` to 720p, its MP4 too: it is the cheap one. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  standard: preset('standard', 1080),
  uhd: preset('uhd', 2160),
  compact: preset('compact', 720, 1280),
};

export function isBuiltIn(name: string): boolean {
  return Object.hasOwn(PRESETS, name);
}
