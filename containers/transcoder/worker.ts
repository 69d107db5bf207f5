import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../aws/http-status.ts';
import { ERRORS } from '../../core/contracts/errors.ts';
import { EXIT, type Failed, type Job, Result, type Succeeded } from '../../core/contracts/job.ts';
import { RESULT_FILE } from '../../core/contracts/keys.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { claim, renewClaim } from './claim.ts';
import { asDropreelError, Drained } from './failures.ts';
import { ffmpegVersion, type Tools } from './ffmpeg/run.ts';
import { log } from './log.ts';
import type { Progress } from './progress.ts';
import { pull } from './pull.ts';
import { isRendition, pullRendition } from './pull-rendition.ts';
import { push } from './push.ts';
import { openScratch, removeScratch, type Scratch } from './scratch.ts';
import { transcode } from './transcode.ts';
import { cpuSeconds } from './usage.ts';

export interface WorkerContext {
  s3: S3Client;
  tools: Tools;
  /** Whether a GPU is to be used, if there is one. */
  gpu: boolean;
  engineJobId: string;
  scratchDirectory: string;
  progress: Progress;
  /** Aborted with a Drained when the engine stops the worker. */
  signal: AbortSignal;
}

/** Runs one job to its end and returns the exit code. The result, good or bad, is in S3 by then. */
export async function work(job: Job, context: WorkerContext): Promise<number> {
  const claimed = await claim(context.s3, job, context.engineJobId);
  if (claimed === 'other') {
    log('info', 'another engine job has this job; nothing to do', { jobId: job.jobId });
    return EXIT.ok;
  }
  const stop = renewClaim(context.s3, job, context.engineJobId);
  try {
    return await workClaimed(job, context, claimed);
  } finally {
    stop();
  }
}

async function workClaimed(job: Job, context: WorkerContext, claimed: 'mine' | 'again'): Promise<number> {
  const scratch = await openScratch(join(context.scratchDirectory, job.jobId), context.tools.mediaId);
  const earlier = claimed === 'again' ? await readResult(context.s3, job) : null;
  if (earlier?.status === 'succeeded') return finish(scratch, EXIT.ok);
  if (earlier && !ERRORS[earlier.error.code].transient) return finish(scratch, EXIT.permanent);
  let source: SourceInfo | undefined;
  try {
    const onSource = (found: SourceInfo) => {
      source = found;
    };
    const result = await produce(job, context, { scratch, resumed: claimed === 'again', onSource });
    await writeResult(context.s3, job, result);
    context.progress.at('done', 1);
    context.progress.step('pushed');
    return await finish(scratch, EXIT.ok);
  } catch (error) {
    if (context.signal.reason instanceof Drained) {
      log('info', 'stopped; the checkpoint stays on the scratch disk', { jobId: job.jobId });
      return EXIT.drained;
    }
    return await fail(job, context, { scratch, error, source });
  }
}

async function produce(
  job: Job,
  context: WorkerContext,
  { scratch, resumed, onSource }: { scratch: Scratch; resumed: boolean; onSource: (source: SourceInfo) => void },
): Promise<Succeeded> {
  const { s3, tools, gpu, progress, signal } = context;
  const startedAt = Date.now();
  const cpuBefore = await cpuSeconds();
  progress.at('pulling', 0);
  const bring = isRendition(job) ? pullRendition : pull;
  await bring({ s3, source: job.source, scratch, signal, onProgress: (fraction) => progress.at('pulling', fraction) });
  progress.step('pulled');
  const transcoded = await transcode({
    tools,
    scratch,
    preset: job.preset,
    gpu,
    signal,
    onSource,
    onFirstFrame: () => log('info', 'first frame', { jobId: job.jobId, mediaId: job.mediaId }),
    onProgress: ({ phase, fraction, speed }) => progress.at(phase, fraction, speed),
  });
  progress.step('transcoded');
  const pushed = await push({
    s3,
    ...job.output,
    directory: scratch.out,
    kind: transcoded.kind,
    resumed,
    signal,
    onProgress: (fraction) => progress.at('pushing', fraction),
  });
  const usage = { wallSeconds: (Date.now() - startedAt) / 1000, cpuSeconds: (await cpuSeconds()) - cpuBefore };
  return { status: 'succeeded', jobId: job.jobId, ...transcoded, ...pushed, ffmpeg: await ffmpegVersion(tools), usage };
}

async function fail(
  job: Job,
  context: WorkerContext,
  { scratch, error, source }: { scratch: Scratch; error: unknown; source: SourceInfo | undefined },
): Promise<number> {
  const { code, message, detail } = asDropreelError(error);
  log('error', message, { jobId: job.jobId, code, detail });
  const told = { code, message, ...(detail ? { detail } : {}) };
  const result: Failed = { status: 'failed', jobId: job.jobId, error: told, ...(source ? { source } : {}) };
  await writeResult(context.s3, job, result);
  return ERRORS[code].transient ? EXIT.transient : finish(scratch, EXIT.permanent);
}

async function finish(scratch: Scratch, exit: number): Promise<number> {
  await removeScratch(scratch);
  return exit;
}

const resultOf = (job: Job) => ({ Bucket: job.output.bucket, Key: `${job.output.prefix}${RESULT_FILE}` });

async function writeResult(s3: S3Client, job: Job, result: Result): Promise<void> {
  const Body = JSON.stringify(Result.parse(result));
  await s3.send(new PutObjectCommand({ ...resultOf(job), Body, ContentType: 'application/json' }));
}

async function readResult(s3: S3Client, job: Job): Promise<Result | null> {
  try {
    const { Body } = await s3.send(new GetObjectCommand(resultOf(job)));
    return Result.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  } catch (error) {
    if (httpStatus(error) === 404) return null;
    throw error;
  }
}
