import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { DropreelError } from '../../core/contracts/errors.ts';
import { GpuUse } from '../../core/contracts/gpu.ts';
import { Warning, warning } from '../../core/contracts/warnings.ts';
import { Decoded, endWarnings, isCutOff, shortfalls } from '../../core/media/decoded.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { checkPackets, leftOut, overlappingSound } from '../../core/media/losses.ts';
import { carriedCaptions } from './captions.ts';
import { recordedTimes } from './decode-record.ts';
import { damaged } from './ffmpeg/errors.ts';
import { POSTER_TIME } from './ffmpeg/filters.ts';
import type { FfmpegProgress } from './ffmpeg/progress.ts';
import { command, ENVIRONMENT, type Tools } from './ffmpeg/run.ts';
import { letWrite } from './hand-over.ts';
import type { Input } from './input/input.ts';
import { joinOutputs } from './join.ts';
import { findLosses } from './losses.ts';
import { type OnGpu, runStages } from './stages.ts';

export const Encoded = z.object({
  gpu: GpuUse.optional(),
  /** Video frames in each rung; absent for audio. */
  frames: z.number().optional(),
  decoded: Decoded,
  /** Set where another engine decoded: `decoded` is what the source announces. */
  announced: z.literal(true).optional(),
  /** Set where each rendition has been decoded again by the worker that encoded it. */
  readBack: z.literal(true).optional(),
  /** The captions that the rungs carry: INSTREAM-ID of each. */
  captions: z.array(z.string()),
  /** The decoders' first error, in one sentence: with it, the source is at fault when an output is wrong. */
  fault: z.string().optional(),
  warnings: z.array(Warning),
  /** Tracks that were found on the way, with their time on the source's own clock. */
  late: z.array(z.object({ type: z.string(), at: z.number().optional() })),
  skipped: z.array(z.object({ what: z.string(), why: z.string() })),
  /** Of the top rung against the pictures that it was encoded of, where x264 did. */
  ssim: z.number().min(0).max(1).optional(),
  /** When the poster's frame is shown, in seconds; absent without a large poster. */
  posterSeconds: z.number().optional(),
});
export type Encoded = z.infer<typeof Encoded>;

export interface EncodeRun {
  input: Input;
  out: string;
  /** File for the times of the decoded pictures. */
  times: string;
  /** Absent: all is done in software. */
  onGpu?: OnGpu;
  signal: AbortSignal;
  onProgress: (progress: FfmpegProgress) => void;
  /** As in the task's context. */
  onDecoded?: (() => Promise<void>) | undefined;
}

const NO_ZSCALE = 'This FFmpeg has no zscale filter (zimg): HDR colours look washed out.';

/** Makes all outputs of the one decode. */
export async function encode(tools: Tools, plan: EncodePlan, run: EncodeRun): Promise<Encoded> {
  const { out, signal, onGpu = { decode: false, encode: false } } = run;
  const { toneMap, unconverted } = await findToneMap(tools, plan);
  await letWrite(tools, out);
  const outcome = await runStages(tools, plan, { ...run, onGpu, cwd: out, toneMap });
  // Before the directory is taken over, which ends all programs of FFmpeg's user: one may still be looking at the source.
  await run.onDecoded?.();
  const { decoded, last, stderr, fault } = outcome;
  checkDecoded(plan, decoded, fault, stderr);
  if (plan.audio?.packed && decoded.sound && outcome.holes) checkPackets(outcome.holes, decoded.sound);
  const losses = await findLosses({ tools, input: run.input, signal }, plan, outcome, run.times);
  const missing = [
    ...(plan.video ? leftOut(plan.video, last?.frames, await recordedTimes(run.times)) : []),
    ...(decoded.sound ? overlappingSound(decoded.sound, outcome.overlaps) : []),
    ...endWarnings(decoded, plan, fault),
  ];
  await joinOutputs(tools, plan, { out, fault, signal });
  const { captions, warnings: lost } = await carriedCaptions(plan, out);
  return {
    ...(plan.video && last?.frames !== undefined ? { frames: last.frames } : {}),
    decoded,
    captions,
    ...(fault !== undefined ? { fault } : {}),
    late: outcome.late,
    ...(outcome.ssim !== undefined && { ssim: outcome.ssim }),
    ...unconverted,
    warnings: [...unconverted.warnings, ...lost, ...losses, ...missing],
    ...(plan.posterLarge && plan.poster && (await takePosterTime(out))),
  };
}

/** Whether HDR is converted, and what is said where this FFmpeg cannot. */
export async function findToneMap(
  tools: Tools,
  { video }: EncodePlan,
): Promise<{ toneMap: boolean; unconverted: Pick<Encoded, 'warnings' | 'skipped'> }> {
  const isWanted = video?.color.convert !== undefined;
  const toneMap = isWanted && (await hasFilter(tools, 'zscale'));
  if (!isWanted || toneMap) return { toneMap, unconverted: { warnings: [], skipped: [] } };
  const warnings = [warning('colors_not_converted', NO_ZSCALE)];
  return { toneMap, unconverted: { warnings, skipped: [{ what: 'tone mapping', why: NO_ZSCALE }] } };
}

/** Reads the time of the first frame that was chosen, and removes the file, because all that is left in the directory is published. */
export async function takePosterTime(out: string): Promise<Pick<Encoded, 'posterSeconds'>> {
  const path = join(out, POSTER_TIME);
  const said = await readFile(path, 'utf8').catch(() => '');
  await rm(path, { force: true });
  const time = /pts_time:(\d{1,9}(?:\.\d{1,9})?)/.exec(said)?.[1];
  return time === undefined ? {} : { posterSeconds: Number(time) };
}

/**
 * @throws DropreelError `corrupt` when nothing of a track was decoded, or errors have cost its end; `truncated` when the decoder ran dry
 * before the end that the container names
 */
export function checkDecoded(plan: EncodePlan, decoded: Decoded, fault: string | undefined, detail: string): void {
  const { pictures, sound } = decoded;
  const nothing = (plan.video && !pictures?.count && 'pictures') || (plan.audio && !sound?.samples && 'sound');
  if (!nothing && isSpeck(plan, decoded))
    throw new DropreelError('corrupt', 'The file holds less than a millisecond of sound.');
  const [short] = nothing ? [`Nothing of its ${nothing} could be decoded.`] : shortfalls(decoded, plan);
  if (short === undefined) return;
  if (fault !== undefined) throw damaged(fault, `${short}\n${detail}`);
  if (nothing) throw new DropreelError('corrupt', short, { detail });
  if (!plan.joined && isCutOff(plan, fault))
    throw new DropreelError('truncated', `The file is cut off. ${short}`, { detail });
}

/** Sound alone that no player can be said to play. */
function isSpeck({ video, audio }: EncodePlan, { sound }: Decoded): boolean {
  return !video && audio !== undefined && sound !== undefined && sound.samples < audio.sampleRate / 1000;
}

async function hasFilter(tools: Tools, name: string): Promise<boolean> {
  const { stdout } = await execa(...command(tools, 'ffmpeg', ['-v', 'quiet', '-h', `filter=${name}`]), {
    reject: false,
    extendEnv: false,
    env: ENVIRONMENT,
  });
  return stdout.includes(`Filter ${name}`);
}
