import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../aws/http-status.ts';
import { ERRORS } from '../../core/contracts/errors.ts';
import { EXIT, type Failed, type Job, type Reading, Result, type Succeeded } from '../../core/contracts/job.ts';
import { RESULT_FILE } from '../../core/contracts/keys.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { cutIfLong, LeftInChunks, leaveInChunks } from './chunks/cut.ts';
import { joinFilm } from './chunks/join-film.ts';
import { keepAlive, workPart } from './chunks/part.ts';
import { claim, renewClaim } from './claim.ts';
import type { WorkerContext } from './context.ts';
import { asDropreelError, Drained } from './failures.ts';
import { ffmpegVersion } from './ffmpeg/run.ts';
import { finishEncoded } from './finish.ts';
import { type SourceRun, withSource } from './input/with-source.ts';
import { takeLease } from './lease.ts';
import { log } from './log.ts';
import { isPrepared, prepare } from './prepare.ts';
import { push } from './push.ts';
import { openScratch, removeScratch, type Scratch } from './scratch.ts';
import { type Transcoded, type TranscodeRun, transcode } from './transcode.ts';
import { cpuSeconds } from './usage.ts';

/** Runs one job to its end and returns the exit code. The result, good or bad, is in S3 by then. */
export async function work(job: Job, context: WorkerContext): Promise<number> {
  if (job.task?.name === 'chunk') return workChunk(job, job.task.count, context);
  const { s3, engineJobId, machine, signal } = context;
  const { claimed, renew } = machine
    ? await takeLease(s3, job, { engineJobId, machine, signal })
    : { claimed: await claim(s3, job, engineJobId), renew: () => renewClaim(s3, job, engineJobId) };
  if (claimed === 'other') {
    log('info', 'another engine job has this job; nothing to do', { jobId: job.jobId });
    return EXIT.ok;
  }
  log('info', 'claimed', { jobId: job.jobId, mediaId: job.mediaId });
  const stop = renew();
  try {
    return await workClaimed(job, context, claimed);
  } finally {
    stop();
  }
}

/**
 * A part of a film. It has no claim, because the first record of a part counts, and leaves no result: that is the joining worker's, which
 * may have written it already.
 */
async function workChunk(job: Job, count: number, context: WorkerContext): Promise<number> {
  const { arrayIndex = 0, signal } = context;
  const part = arrayIndex < count ? arrayIndex : 'sound';
  const scratch = await openScratch(join(context.scratchDirectory, job.jobId), context.tools.mediaId);
  const stop = keepAlive(context.s3, job, part);
  try {
    await workPart(job, part, context, scratch);
    return await finish(scratch, EXIT.ok);
  } catch (error) {
    if (signal.reason instanceof Drained) return EXIT.drained;
    const { code, message, detail } = asDropreelError(error);
    log('error', message, { jobId: job.jobId, part, code, detail });
    return EXIT.transient;
  } finally {
    stop();
  }
}

async function workClaimed(job: Job, context: WorkerContext, claimed: 'mine' | 'again'): Promise<number> {
  const scratch = await openScratch(join(context.scratchDirectory, job.jobId), context.tools.mediaId);
  const prepares = job.task?.name === 'prepare' || job.task?.name === 'cut';
  const earlier = claimed === 'again' ? await readResult(context.s3, job) : null;
  if (earlier?.status === 'succeeded') return finish(scratch, EXIT.ok);
  if (earlier && !ERRORS[earlier.error.code].transient) return finish(scratch, EXIT.permanent);
  if (claimed === 'again' && prepares && (await isPrepared(context, job))) return finish(scratch, EXIT.ok);
  let source: SourceInfo | undefined;
  try {
    const onSource = (found: SourceInfo) => {
      source = found;
    };
    if (job.task?.name === 'prepare') await prepare(job, context, { scratch, onSource });
    else await completeOrLeave(job, context, { scratch, resumed: claimed === 'again', onSource });
    return await finish(scratch, EXIT.ok);
  } catch (error) {
    if (context.signal.reason instanceof Drained) {
      log('info', 'stopped; the checkpoint stays on the scratch disk', { jobId: job.jobId });
      return EXIT.drained;
    }
    return await fail(job, context, { scratch, error, source });
  }
}

interface Producing {
  scratch: Scratch;
  resumed: boolean;
  onSource: (source: SourceInfo) => void;
}

async function completeOrLeave(job: Job, context: WorkerContext, producing: Producing): Promise<void> {
  await complete(job, context, producing).catch(async (error: unknown) => {
    if (!(error instanceof LeftInChunks)) throw error;
    log('info', error.message, { jobId: job.jobId });
    await leaveInChunks(context, job, error.prepared);
  });
}

async function complete(job: Job, context: WorkerContext, producing: Producing): Promise<void> {
  const result = await produce(job, context, producing);
  await writeResult(context.s3, job, result);
  context.progress.at('done', 1);
  context.progress.step('pushed');
}

async function produce(
  job: Job,
  context: WorkerContext,
  { scratch, resumed, onSource }: Producing,
): Promise<Succeeded> {
  const { s3, tools, gpu, progress, signal, paidSince: startedAt = performance.now() } = context;
  const cpuBefore = await cpuSeconds();
  const { transcoded, reading, cpuSecondsBefore, besideSeconds } = await makeAll(job, context, {
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
  const usage = {
    wallSeconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSecondsBefore + (await cpuSeconds()) - cpuBefore,
    ...(besideSeconds !== undefined && { besideSeconds }),
  };
  const ffmpeg = await ffmpegVersion(tools);
  return {
    status: 'succeeded',
    jobId: job.jobId,
    ...transcoded,
    ...pushed,
    ffmpeg,
    usage,
    ...(reading && { reading }),
  };
}

/** Makes all outputs on the scratch disk, of the source or of what MediaConvert has encoded, for which another worker has used CPU. */
async function makeAll(
  job: Job,
  context: WorkerContext,
  run: TranscodeRun,
): Promise<{
  transcoded: Transcoded;
  reading?: Reading;
  cpuSecondsBefore: number;
  besideSeconds?: number | undefined;
}> {
  const { progress, s3, signal } = context;
  const { task } = job;
  if (task?.name === 'finish') return finishEncoded({ ...job, task }, context, run);
  const joined = task?.name === 'join' ? await joinFilm(job, context, run) : undefined;
  if (joined && 'transcoded' in joined) return joined;
  progress.at('pulling', 0);
  const reader: SourceRun = {
    ...{ s3, job, source: job.source, scratch: run.scratch, signal },
    onProgress: (fraction) => progress.at('pulling', fraction),
    onRead: () => progress.step('pulled'),
  };
  const [cpuBefore, startedAt] = [await cpuSeconds(), performance.now()];
  const { value, reading } = await withSource(reader, (signal, input) => {
    const onProbed: TranscodeRun['onProbed'] = async (probed, input) => {
      if (task?.name !== 'cut') return;
      const { chunkSeconds } = context;
      await cutIfLong(job, { ...task, chunkSeconds }, { probed, input, signal, cpuBefore, startedAt });
    };
    return transcode({ ...run, signal, input, onProbed });
  });
  const { cpuSecondsBefore = 0, besideSeconds } = joined ?? {};
  return { transcoded: value, reading, cpuSecondsBefore, besideSeconds };
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
