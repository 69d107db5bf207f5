import { z } from 'zod';
import { each, OPTIONAL_NAMES } from './outputs.ts';
import { contentOf, MOST_MP4_SHORT_SIDE, NEAR, Preset, type PresetContent } from './presets.ts';

/**
 * What a preset may say: of what people give to the API, and once more of what a worker is given. Each refusal names the field, says what
 * was given, and what is allowed.
 */

/** Rungs of a preset. AWS Batch passes a job of at most 8192 characters, of which each takes 70. */
export const MOST_RUNGS = 8;
/** Rungs closer to each other than this look alike, and cost an encode each. */
const LEAST_STEP = 1.2;
/** Bits per second for a pixel of the rung's box: 1.9 to 2.7 in the built-in ladders. Apple's lowest, 145 kbit/s of 416x234, is 1.5. */
const BITS_PER_PIXEL = { least: 0.3, most: 12 };
/** Sides are 16 to 9, as in core/media/ladder.ts. */
const BOX_ASPECT = 16 / 9;
/** Of all rungs, and of an MP4 with an encode of its own, in the worst shape: what `uhd` has, for which the memory of workers is made. */
const MOST_PIXELS = 18_900_000;
/** Multiples of the interval of keyframes, 2 s. HLS allows any length (RFC 8216, 4.3.3.1); Apple recommends 6 s (authoring, 7.5). */
export const SEGMENT_SECONDS = [2, 4, 6, 8, 10];
/** Of the usual rates, those by which faster ones are divided: 50 and 60 pictures a second become 25 and 30. */
export const FRAME_RATES = [30, 60];
const MOST_SHOWN = 60;
/** Of two shapes, one on each side of a third. */
const BESIDE = 1e-9;

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

const refusal = (allowed: string) => ({
  error: ({ input }: { input?: unknown }) => `${shown(input)} was given; allowed is ${allowed}`,
});
const whole = (least: number, most: number, unit: string) => {
  const told = refusal(`a whole number from ${least} to ${most} (${unit})`);
  return z.number(told).int(told).min(least, told).max(most, told);
};
const oneOf = (values: readonly number[], unit: string) => z.literal(values, refusal(`${values.join(', ')} (${unit})`));
const flag = (value: boolean) => z.boolean(refusal('true or false')).default(value);

const GivenRung = z.strictObject({
  shortSide: whole(144, 2160, 'pixels of the short side').multipleOf(2, refusal('an even number of pixels')),
  maxBitrate: whole(10_000, 100_000_000, 'bits per second'),
  audio: z.enum(['128k', '64k'], refusal('128k or 64k')),
});
export type GivenRung = z.infer<typeof GivenRung>;

const LOUDNESS = '-31 to -9 (LUFS), or nothing: as loud as the source';

const Given = z.strictObject({
  /** Sizes of the stream, the largest first; each is named by its short side. */
  rungs: z
    .array(GivenRung, refusal('a list of rungs'))
    .min(1, refusal('1 to 8 rungs'))
    .max(MOST_RUNGS, {
      error: ({ input }) =>
        `${Array.isArray(input) ? input.length : 'Too many'} rungs were given; allowed are 1 to ${MOST_RUNGS}`,
    }),
  /** x264's; lower is better. Below 10 it is nearly lossless, above 40 blocks are all that is seen. */
  crf: z.number(refusal('10 to 40')).min(10, refusal('10 to 40')).max(40, refusal('10 to 40')),
  codec: z.enum(['h264'], refusal('h264')).default('h264'),
  maxFrameRate: oneOf(FRAME_RATES, 'pictures a second').default(60),
  segmentSeconds: oneOf(SEGMENT_SECONDS, 'seconds').default(6),
  mp4LongSide: whole(320, 3840, 'pixels of the long side').default(2400),
  /** LUFS. EBU R128 has -23, films on the web some -27, music -14; above -9 nothing is left but peaks. */
  loudnessTarget: z.number(refusal(LOUDNESS)).min(-31, refusal(LOUDNESS)).max(-9, refusal(LOUDNESS)).optional(),
  /** What is not named is made. */
  outputs: z
    .strictObject(
      each(OPTIONAL_NAMES, () => flag(true)),
      refusal('an object'),
    )
    .prefault({}),
});

/** What people say of a preset. */
export const PresetSettings = Given.superRefine((settings, context) => {
  for (const { path, message } of faultsOf(settings)) context.addIssue({ code: 'custom', path, message });
});
export type PresetSettings = z.infer<typeof PresetSettings>;

interface Fault {
  path: (string | number)[];
  message: string;
}

/** What each field allows by itself, and together with the others does not. */
function faultsOf({ rungs, mp4LongSide, outputs }: z.infer<typeof Given>): Fault[] {
  const faults = rungs.flatMap((rung, i): Fault[] => {
    const pixels = pixelsOf(rung.shortSide);
    const [least, most] = [BITS_PER_PIXEL.least, BITS_PER_PIXEL.most].map((bits) => roundRate(bits * pixels));
    const above = rungs[i - 1];
    const at = (field: keyof GivenRung, allowed: string): Fault => ({
      path: ['rungs', i, field],
      message: `${rung[field]} was given; allowed is ${allowed}`,
    });
    const largest = above && Math.floor(above.shortSide / LEAST_STEP);
    return [
      ...(rung.maxBitrate < (least ?? 0) || rung.maxBitrate > (most ?? 0)
        ? [at('maxBitrate', `${least} to ${most} bits per second for ${rung.shortSide}p`)]
        : []),
      ...(above && largest !== undefined && rung.shortSide > largest
        ? [
            at(
              'shortSide',
              `at most ${largest}, below ${above.shortSide}p: the largest comes first, each ${LEAST_STEP} times the next`,
            ),
          ]
        : []),
      ...(above && rung.maxBitrate >= above.maxBitrate
        ? [at('maxBitrate', `less than ${above.maxBitrate}, that of the larger rung`)]
        : []),
    ];
  });
  const pixels = mostPixels(rungs, outputs.mp4 ? mp4LongSide : undefined);
  if (pixels <= MOST_PIXELS) return faults;
  const what = outputs.mp4 ? 'rungs, with the MP4,' : 'rungs';
  return [
    ...faults,
    { path: ['rungs'], message: `The ${what} have ${pixels} pixels; allowed are ${MOST_PIXELS} together` },
  ];
}

/**
 * Pixels of a picture from each encoder, of a source of the worst shape. A rung has fewer of a squarer picture, and an MP4, of which the long
 * side is given, has more, if it has an encode of its own: see planMp4 in core/media/plan-outputs.ts.
 */
function mostPixels(rungs: readonly GivenRung[], mp4LongSide: number | undefined): number {
  const top = rungs[0]?.shortSide ?? 0;
  const long = mp4LongSide ?? 0;
  const of = (aspect: number) => {
    const all = rungs.reduce((sum, { shortSide }) => sum + shortSide ** 2 * aspect, 0);
    const own = Math.min(long, MOST_MP4_SHORT_SIDE * aspect);
    const isShared = top * aspect <= long && own <= top * aspect * NEAR;
    return isShared ? all : all + own ** 2 / aspect;
  };
  // Where the MP4 gets an encode of its own, or reaches its box; between these shapes the sum has no peak.
  const turns = [long / top, long / top / NEAR, long / MOST_MP4_SHORT_SIDE];
  const aspects = [...turns.flatMap((turn) => [turn - BESIDE, turn + BESIDE]), 1, BOX_ASPECT];
  return Math.ceil(Math.max(...aspects.filter((aspect) => aspect >= 1 && aspect <= BOX_ASPECT).map(of)));
}

function pixelsOf(shortSide: number): number {
  return shortSide ** 2 * BOX_ASPECT;
}

function roundRate(bits: number): number {
  return Math.round(bits / 1000) * 1000;
}

export function contentFrom({ rungs, ...settings }: PresetSettings): PresetContent {
  return { ...settings, rungs: rungs.map((rung) => ({ ...rung, name: `${rung.shortSide}p` })) };
}

function settingsOf({ rungs, ...content }: PresetContent): z.input<typeof PresetSettings> {
  return { ...content, rungs: rungs.map(({ name: _name, ...rung }) => rung) } as z.input<typeof PresetSettings>;
}

/** The preset of a job, as a worker takes it: it comes from outside, and its names become those of files. */
export const JobPreset = Preset.superRefine((preset, context) => {
  const { success, error } = PresetSettings.safeParse(settingsOf(contentOf(preset)));
  for (const issue of success ? [] : error.issues) {
    context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
  }
  for (const [i, { name, shortSide }] of preset.rungs.entries()) {
    if (name === `${shortSide}p`) continue;
    context.addIssue({
      code: 'custom',
      path: ['rungs', i, 'name'],
      message: `${shown(name)} was given; allowed is ${shortSide}p`,
    });
  }
});
