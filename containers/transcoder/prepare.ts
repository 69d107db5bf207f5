import { PutObjectCommand } from '@aws-sdk/client-s3';
import { head } from '../../aws/s3.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Job } from '../../core/contracts/job.ts';
import { PREPARED_FILE, SOURCE_FILE } from '../../core/contracts/keys.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { bounded } from '../../core/contracts/warnings.ts';
import { planEncode } from '../../core/media/plan.ts';
import { Prepared } from '../../core/media/prepared.ts';
import { plannedWarnings } from '../../core/media/warnings.ts';
import { unfit } from '../../engines/mediaconvert/unfit.ts';
import type { WorkerContext } from './context.ts';
import { mendFlvJoints } from './flv-joints.ts';
import { fileInput } from './input/input.ts';
import { probeSource } from './probe.ts';
import { bring } from './pull-rendition.ts';
import { pushFile } from './push.ts';
import { needDisk, type Scratch } from './scratch.ts';
import { sourceInfo } from './transcode.ts';
import { cpuSeconds } from './usage.ts';

/** Whether an earlier attempt has prepared the job. */
export async function isPrepared({ s3 }: WorkerContext, { output }: Job): Promise<boolean> {
  return (await head(s3, { bucket: output.bucket, key: `${output.prefix}${PREPARED_FILE}` })) !== null;
}

/**
 * Prepares a job that MediaConvert encodes: looks at the source, refuses what MediaConvert would make something else of, and leaves under
 * the job's prefix what it has found, and the very bytes in which it was found: MediaConvert cannot read a version of an object.
 * @throws DropreelError
 */
export async function prepare(
  job: Job,
  { s3, tools, progress, signal }: WorkerContext,
  { scratch, onSource }: { scratch: Scratch; onSource: (source: SourceInfo) => void },
): Promise<void> {
  const cpuBefore = await cpuSeconds();
  const { bucket, prefix } = job.output;
  progress.at('pulling', 0);
  await orUnfit(bring(job, { s3, scratch, signal, onProgress: (fraction) => progress.at('pulling', fraction) }));
  progress.step('pulled');
  progress.at('probing', 0);
  await mendFlvJoints(scratch.source);
  const input = await fileInput(scratch.source);
  const { probe, ends, report, audioTracks, warnings, look } = await probeSource(tools, input, signal);
  if (probe.video && look) probe.video.combed = await look(signal);
  const plan = planEncode(probe, job.preset, ends);
  onSource({ ...sourceInfo(probe, plan), ...report });
  const [why] = unfit(plan, { probe, audioTracks });
  if (why !== undefined) throw isUnfit(`${why}.`);
  // The worker that finishes the job has a disk like this one, for the source and the outputs.
  await orUnfit(needDisk(scratch, plan.worstCaseBytes, 'What is encoded of it'));
  const { kind } = plan;
  await pushFile({ s3, bucket, prefix, directory: scratch.root, kind, signal }, SOURCE_FILE, undefined);
  const prepared: Prepared = {
    jobId: job.jobId,
    probe,
    ends,
    audioTracks,
    report,
    warnings: bounded([...plannedWarnings(probe, plan, report.tracks), ...warnings]),
    cpuSeconds: (await cpuSeconds()) - cpuBefore,
  };
  const Body = JSON.stringify(Prepared.parse(prepared));
  const Key = `${prefix}${PREPARED_FILE}`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: 'application/json' }));
  progress.at('probing', 1);
}

/** Its workers need the whole source on their disk. `batch-cpu` reads a large one in S3, so that `auto` moves on to it. */
async function orUnfit(needsDisk: Promise<void>): Promise<void> {
  await needsDisk.catch((error: unknown) => {
    if (error instanceof DropreelError && error.code === 'disk_full') throw isUnfit(error.message);
    throw error;
  });
}

function isUnfit(why: string): DropreelError {
  return new DropreelError('engine_unfit', `MediaConvert is not fit for this file: ${why}`);
}
