import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { FILE_NAMES, FILES, type FileName, some } from '../../core/contracts/outputs.ts';
import type { Preset } from '../../core/contracts/presets.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { bounded, type Warning } from '../../core/contracts/warnings.ts';
import { decodedSeconds } from '../../core/media/decoded.ts';
import { type EncodePlan, streamed } from '../../core/media/encode-plan.ts';
import { planEncode } from '../../core/media/plan.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { lateWarnings, plannedWarnings } from '../../core/media/warnings.ts';
import { describeRenditions } from './describe.ts';
import type { Tools } from './ffmpeg/run.ts';
import { mendFlvJoints } from './flv-joints.ts';
import { fileInput, type Input } from './input/input.ts';
import { encodeMeanwhile } from './late-finds.ts';
import { type Probed, probeSource } from './probe.ts';
import { measurePeak, readRendition } from './rendition.ts';
import { readMarker, type Scratch, writeMarker } from './scratch.ts';
import { encodeTask } from './tasks/encode.ts';
import { MAKERS, TASKS } from './tasks/index.ts';
import { previewTask } from './tasks/preview.ts';
import type { Task, TaskContext, TranscodeProgress } from './tasks/task.ts';

export interface TranscodeRun extends TranscodeProgress {
  tools: Tools;
  scratch: Scratch;
  /** The source, where it is read in place; absent: it lies on the scratch disk. */
  input?: Input | undefined;
  preset: Preset;
  /** Whether a GPU is to be used, if there is one. */
  gpu?: boolean;
  signal: AbortSignal;
  /** Called when all that the plan is made of is known, before anything is encoded. What it throws ends the transcode. */
  onProbed?: (probed: Probed, input: Input) => Promise<void>;
  /** Called as soon as the source is known, so that a failure can be reported with it. */
  onSource?: (source: SourceInfo) => void;
}

/** The transcode's part of the result: without the job's and the files' part. */
export type Transcoded = Omit<Succeeded, 'status' | 'jobId' | 'files' | 'ffmpeg' | 'usage'>;

/**
 * Makes all outputs of the source on the scratch disk, and checks them. Tasks that were finished on this disk before are not repeated.
 * @throws DropreelError
 */
export async function transcode(run: TranscodeRun): Promise<Transcoded> {
  const { tools, scratch, preset, signal } = run;
  run.onProgress({ phase: 'probing', fraction: 0 });
  if (!run.input) await mendFlvJoints(scratch.source);
  const input = run.input ?? (await fileInput(scratch.source));
  const probed = await probeSource(tools, input, signal);
  await run.onProbed?.(probed, input);
  const { probe, ends, report, warnings: dropped, look } = probed;
  let plan = planEncode(probe, preset, ends);
  run.onSource?.({ ...sourceInfo(probe, plan), ...report });
  // Its marker tells makeOutputs that it is done.
  await encodeMeanwhile({ input, video: probe.video, look, signal }, (signal, onDecoded) => {
    plan = planEncode(probe, preset, ends);
    const outcomeOf = () => {
      throw new Error('The encode is the first task.');
    };
    return once(encodeTask, { ...run, input, plan, outcomeOf, signal, onDecoded });
  });
  const warnings = [...plannedWarnings(probe, plan, report.tracks), ...dropped];
  return makeOutputs(run, { probe, plan, report, warnings }, TASKS);
}

/** What is known of a source before its outputs are made. */
export interface Planned {
  probe: MediaProbe;
  plan: EncodePlan;
  report: Probed['report'];
  /** What is lost of it by then. */
  warnings: Warning[];
}

/**
 * Runs the tasks that the plan needs, and describes what they have made.
 * @throws DropreelError
 */
export async function makeOutputs(
  run: TranscodeRun,
  { probe, plan, report, warnings: before }: Planned,
  tasks: readonly Task<unknown>[],
): Promise<Transcoded> {
  const { scratch, preset } = run;
  const source = { ...sourceInfo(probe, plan), ...report };
  run.onSource?.(source);
  const outcomes = new Map<string, unknown>();
  const input = run.input ?? (await fileInput(scratch.source));
  const outcomeOf: TaskContext['outcomeOf'] = (task) => task.outcome.parse(outcomes.get(task.name));
  const context: TaskContext = { ...run, input, plan, outcomeOf };
  for (const task of tasks) if (task.isNeeded(plan)) outcomes.set(task.name, await once(task, context));
  const { decoded, captions, skipped, warnings, late, gpu, ssim } = context.outcomeOf(encodeTask);
  const files = [];
  for (const name of streamed(plan)) files.push(await readRendition(plan, scratch.out, name));
  return {
    kind: plan.kind,
    ...(gpu && { gpu }),
    source: { ...source, durationSeconds: decodedSeconds(decoded, plan) },
    ...describeRenditions(plan, files, { captions, peak: await measurePeak(plan, scratch.out, files) }),
    ...(plan.preview && { preview: context.outcomeOf(previewTask) }),
    ...(await madeFiles(plan, scratch)),
    ...(plan.mp4?.encode && { ownMp4: { width: plan.mp4.encode.width, height: plan.mp4.encode.height } }),
    preset: { name: preset.name, version: preset.version },
    segmentSeconds: plan.segmentSeconds,
    ...(ssim !== undefined && { ssim }),
    skipped: [...plan.skipped, ...skipped],
    warnings: bounded([...before, ...lateWarnings(late, probe, plan), ...warnings]),
  };
}

/** Runs a task, or takes the outcome from its marker when this disk has it finished. */
async function once<Outcome>(task: Task<Outcome>, context: TaskContext): Promise<Outcome> {
  const marker = `${task.name}.done.json`;
  const done = await readMarker(context.scratch, marker, z.object({ outcome: task.outcome }));
  if (done) return done.outcome;
  const outcome = await task.run(context);
  context.input.check();
  await writeMarker(context.scratch, marker, { outcome });
  return outcome;
}

/**
 * The names of the single files that the plan wants.
 * @throws DropreelError `worker_bug` when one is missing
 */
async function madeFiles(plan: EncodePlan, { out }: Scratch): Promise<{ [Name in FileName]?: string }> {
  const wanted = FILE_NAMES.filter((name) => plan[name] !== undefined);
  for (const name of wanted) {
    await access(join(out, FILES[name].file)).catch((cause: unknown) => {
      const message = `The task ${MAKERS[name].name} has not made ${FILES[name].file}.`;
      throw new DropreelError('worker_bug', message, { cause });
    });
  }
  return some(wanted, (name) => FILES[name].file);
}

export function sourceInfo(probe: MediaProbe, plan: EncodePlan): SourceInfo {
  const { video, audio } = probe;
  return {
    durationSeconds: plan.durationSeconds,
    ...(video ? { ...video.displayed, videoCodec: video.codec } : {}),
    ...(video?.frameRate ? { frameRate: video.frameRate.num / video.frameRate.den } : {}),
    ...(audio ? { audioCodec: audio.codec } : {}),
  };
}
