import type { Succeeded } from '../../core/contracts/job.ts';
import type { SourceInfo } from '../../core/contracts/rows.ts';
import { type EncodePlan, POSTER_FILE, planEncode, THUMBNAIL_FILE, WAVEFORM_FILE } from '../../core/media/plan.ts';
import type { Preset } from '../../core/media/presets.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { streamed, type Task } from '../../core/media/tasks.ts';
import { describeRenditions } from './describe.ts';
import { type Encoded, encode } from './encode.ts';
import type { FfmpegProgress } from './ffmpeg/progress.ts';
import type { Tools } from './ffmpeg/run.ts';
import { writePreview } from './preview.ts';
import { probeSource } from './probe.ts';
import { readRendition } from './rendition.ts';
import { needDisk, readMarker, type Scratch, writeMarker } from './scratch.ts';
import { verify } from './verify.ts';
import { writeWaveform } from './waveform.ts';

export type Phase = 'probing' | 'transcoding' | 'verifying';

export interface TranscodeRun {
  tools: Tools;
  scratch: Scratch;
  preset: Preset;
  signal: AbortSignal;
  /** `fraction` is of this phase, 0 to 1; `speed` times real time. */
  onProgress: (progress: { phase: Phase; fraction: number; speed?: number | undefined }) => void;
  /** When the encoder has put out something for the first time. */
  onFirstFrame?: () => void;
  /** As soon as it is known, so that a failure can be told with it. */
  onSource?: (source: SourceInfo) => void;
}

/** What a finished transcode says of itself: the result without the job's and the files' part. */
export type Transcoded = Omit<Succeeded, 'status' | 'jobId' | 'files' | 'usage'>;

/**
 * Makes all outputs of the source that lies on the scratch disk, and checks them. Tasks that were finished on this disk before
 * are not done again. Throws a DropreelError.
 */
export async function transcode(run: TranscodeRun): Promise<Transcoded> {
  const { tools, scratch, preset, signal } = run;
  run.onProgress({ phase: 'probing', fraction: 0 });
  const { probe, ends } = await probeSource(tools, scratch.source, signal);
  const plan = planEncode(probe, preset, ends);
  const source = sourceInfo(probe, plan);
  run.onSource?.(source);
  const outcomes = new Map<Task['name'], unknown>();
  for (const task of plan.tasks) {
    outcomes.set(task.name, await once(scratch, task, () => perform(task, plan, run, outcomes)));
  }
  const files = [];
  for (const name of streamed(plan)) files.push(await readRendition(plan, scratch.out, name));
  const encoded = outcomes.get('encode') as Encoded;
  return {
    kind: plan.kind,
    source,
    ...describeRenditions(plan, files),
    ...(plan.preview ? { preview: outcomes.get('preview') as NonNullable<Transcoded['preview']> } : {}),
    ...(plan.mp4 ? { mp4: plan.mp4.file } : {}),
    ...(plan.thumbnail ? { thumbnail: THUMBNAIL_FILE } : {}),
    ...(plan.poster ? { poster: POSTER_FILE } : {}),
    ...(plan.waveform ? { waveform: WAVEFORM_FILE } : {}),
    preset: { name: preset.name, version: preset.version },
    skipped: [...plan.skipped, ...encoded.skipped],
  };
}

/** Finishes a task, or takes what its marker says when this disk has it finished. */
async function once(scratch: Scratch, task: Task, work: () => Promise<unknown>): Promise<unknown> {
  const done = await readMarker<{ outcome: unknown }>(scratch, task.done);
  if (done) return done.outcome;
  const outcome = await work();
  await writeMarker(scratch, task.done, { outcome });
  return outcome;
}

async function perform(
  task: Task,
  plan: EncodePlan,
  run: TranscodeRun,
  outcomes: ReadonlyMap<Task['name'], unknown>,
): Promise<unknown> {
  const { tools, scratch, signal } = run;
  switch (task.name) {
    case 'encode': {
      await needDisk(scratch, plan.worstCaseBytes, 'Encoding this file');
      const onProgress = progressOf(plan, run);
      return encode(tools, plan, { source: scratch.source, out: scratch.out, signal, onProgress });
    }
    case 'waveform':
      return waveform(plan, run);
    case 'verify': {
      const frames = (outcomes.get('encode') as Encoded).frames;
      const onRendition = (done: number, of: number) => run.onProgress({ phase: 'verifying', fraction: done / of });
      return verify(tools, plan, { out: scratch.out, frames, signal, onRendition });
    }
    case 'preview':
      return writePreview(plan, scratch.out);
  }
}

function progressOf(plan: EncodePlan, run: TranscodeRun) {
  let started = false;
  return ({ frames, seconds, speed }: FfmpegProgress) => {
    if (!started && (frames ?? seconds ?? 0) > 0) {
      started = true;
      run.onFirstFrame?.();
    }
    const fraction = Math.min(1, (seconds ?? 0) / Math.max(plan.durationSeconds, 0.001));
    run.onProgress({ phase: 'transcoding', fraction, speed });
  };
}

async function waveform(plan: EncodePlan, run: TranscodeRun): Promise<unknown> {
  const { audio, waveform: wanted } = plan;
  if (!audio || !wanted) return {};
  return writeWaveform(run.tools, {
    source: run.scratch.source,
    track: audio.track,
    channels: audio.sourceChannels,
    sampleRate: audio.sourceRate,
    pixelsPerSecond: wanted.pixelsPerSecond,
    target: `${run.scratch.out}/${WAVEFORM_FILE}`,
    signal: run.signal,
  });
}

function sourceInfo(probe: MediaProbe, plan: EncodePlan): SourceInfo {
  const { video, audio } = probe;
  return {
    durationSeconds: plan.durationSeconds,
    ...(video ? { ...video.displayed, videoCodec: video.codec } : {}),
    ...(video?.frameRate ? { frameRate: video.frameRate.num / video.frameRate.den } : {}),
    ...(audio ? { audioCodec: audio.codec } : {}),
  };
}
