import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../../aws/http-status.ts';
import { ARCHIVE_ENCODERS } from '../../../core/archive/fitness.ts';
import {
  type ArchiveJob,
  ArchiveResult,
  type HashedFile,
  MOST_DETAIL,
  MOST_REFUSALS,
} from '../../../core/contracts/archive-job.ts';
import { ERRORS } from '../../../core/contracts/errors.ts';
import { EXIT } from '../../../core/contracts/job.ts';
import { archiveFile, RESULT_FILE } from '../../../core/contracts/keys.ts';
import { claim, renewClaim } from '../claim.ts';
import type { WorkerContext } from '../context.ts';
import { asDropreelError, Drained } from '../failures.ts';
import { ffmpegVersion } from '../ffmpeg/run.ts';
import { letWrite, takeOver } from '../hand-over.ts';
import { log } from '../log.ts';
import { pull } from '../pull.ts';
import { putFile } from '../push.ts';
import { empty, needDisk, openScratch, removeScratch, type Scratch } from '../scratch.ts';
import { cpuSeconds } from '../usage.ts';
import { workingEncoders } from './encoders.ts';
import { hashFile } from './hash-file.ts';
import { shrink } from './shrink.ts';

type Context = Omit<WorkerContext, 'progress' | 'gpu'>;
type Made = Exclude<ArchiveResult, { status: 'failed' }>;

/**
 * Makes the dense copy of an original in S3 and verifies it, or finds out why not, and returns the exit code. The original is only read.
 * The result, good or bad, is in S3 by then.
 */
export async function archive(job: ArchiveJob, context: Context): Promise<number> {
  const claimed = await claim(context.s3, job, context.engineJobId);
  if (claimed === 'other') {
    log('info', 'another engine job has this job; nothing to do', { jobId: job.jobId });
    return EXIT.ok;
  }
  const stop = renewClaim(context.s3, job, context.engineJobId);
  try {
    const scratch = await openScratch(join(context.scratchDirectory, job.jobId), context.tools.mediaId);
    const earlier = claimed === 'again' ? await readResult(context.s3, job) : null;
    const exit = earlier ? exitOf(earlier) : await attempt(job, context, scratch);
    if (exit !== EXIT.transient && exit !== EXIT.drained) await removeScratch(scratch);
    return exit;
  } finally {
    stop();
  }
}

async function attempt(job: ArchiveJob, context: Context, scratch: Scratch): Promise<number> {
  try {
    const result = await make(job, context, scratch);
    await writeResult(context.s3, job, result);
    log('info', result.status, { jobId: job.jobId, mediaId: job.mediaId });
    return EXIT.ok;
  } catch (error) {
    if (context.signal.reason instanceof Drained) return EXIT.drained;
    const { code, message, detail } = asDropreelError(error);
    log('error', message, { jobId: job.jobId, code, detail });
    const told = { code, message, ...(detail ? { detail } : {}) };
    const failed: ArchiveResult = { status: 'failed', jobId: job.jobId, error: told };
    await writeResult(context.s3, job, failed);
    return ERRORS[code].transient ? EXIT.transient : EXIT.permanent;
  }
}

/** What an earlier attempt has decided; transient for one whose failure may pass. */
function exitOf(earlier: ArchiveResult): number {
  return earlier.status === 'failed' ? EXIT.permanent : EXIT.ok;
}

async function make(job: ArchiveJob, context: Context, scratch: Scratch): Promise<Made> {
  const { s3, tools, signal } = context;
  const began = { at: performance.now(), cpu: await cpuSeconds() };
  await pull({ s3, source: job.source, scratch, signal, onProgress: () => {} });
  // What a worker left that was killed.
  await empty(scratch.out);
  // A copy that is not smaller is refused.
  await needDisk(scratch, job.source.size, 'The copy');
  const original = await hashFile(scratch.source);
  const name = archiveFile(job.source.key);
  await letWrite(tools, scratch.out);
  const shrunk = await shrink(
    { tools, signal },
    {
      ...{ directory: scratch.root, original: 'source', archived: `out/${name}`, policy: job.policy },
      encoders: await workingEncoders(tools, ARCHIVE_ENCODERS[job.policy.codec]),
      onProgress: progressLog(job),
    },
  );
  await takeOver(tools, scratch.out);
  const usage = async () => ({
    wallSeconds: (performance.now() - began.at) / 1000,
    cpuSeconds: (await cpuSeconds()) - began.cpu,
  });
  if (!shrunk.done) {
    const refusals = shrunk.refusals
      .slice(0, MOST_REFUSALS)
      .map(({ reason, detail }) => ({ reason, detail: detail.slice(0, MOST_DETAIL) }));
    return { status: 'refused', jobId: job.jobId, refusals, usage: await usage() };
  }
  const copy = await hashFile(join(scratch.out, name));
  await pushCopy(job, context, join(scratch.out, name), copy);
  const { encoder, quality } = shrunk;
  const ffmpeg = await ffmpegVersion(tools);
  return {
    ...{ status: 'archived', jobId: job.jobId, original, copy, quality, encoder, ffmpeg },
    usage: await usage(),
  };
}

/** S3 takes it only with the checksum that was computed of what was verified. */
async function pushCopy(
  { output, source }: ArchiveJob,
  { s3, signal }: Context,
  local: string,
  { bytes: size, crc64nvme }: HashedFile,
): Promise<void> {
  if ((await stat(local)).size !== size) throw new Error(`${local} changed after it was verified.`);
  const name = archiveFile(source.key);
  const contentType = name.endsWith('.mov') ? 'video/quicktime' : 'video/mp4';
  const file = { path: name, size, crc64nvme, contentType };
  await putFile({ s3, bucket: output.bucket, signal }, `${output.prefix}${name}`, local, file);
}

function progressLog({ jobId }: ArchiveJob) {
  let said = '';
  return ({ phase, fraction }: { phase: string; fraction: number }) => {
    const now = `${phase} ${Math.floor(fraction * 10) * 10} %`;
    if (now === said) return;
    said = now;
    log('info', now, { jobId });
  };
}

const resultOf = ({ output }: ArchiveJob) => ({ Bucket: output.bucket, Key: `${output.prefix}${RESULT_FILE}` });

async function writeResult(s3: S3Client, job: ArchiveJob, result: ArchiveResult): Promise<void> {
  const Body = JSON.stringify(ArchiveResult.parse(result));
  await s3.send(new PutObjectCommand({ ...resultOf(job), Body, ContentType: 'application/json' }));
}

/** Null before there is one that another attempt does not change. */
async function readResult(s3: S3Client, job: ArchiveJob): Promise<ArchiveResult | null> {
  try {
    const { Body } = await s3.send(new GetObjectCommand(resultOf(job)));
    const result = ArchiveResult.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    return result.status === 'failed' && ERRORS[result.error.code].transient ? null : result;
  } catch (error) {
    if (httpStatus(error) === 404) return null;
    throw error;
  }
}
