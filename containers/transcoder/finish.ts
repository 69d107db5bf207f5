import { readText } from '../../aws/s3.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Job } from '../../core/contracts/job.ts';
import { PREPARED_FILE } from '../../core/contracts/keys.ts';
import { parseJson } from '../../core/contracts/text.ts';
import { planEncode } from '../../core/media/plan.ts';
import { Prepared } from '../../core/media/prepared.ts';
import { asEncoded } from '../../engines/mediaconvert/encoded.ts';
import type { WorkerContext } from './context.ts';
import { pullEncoded } from './pull-encoded.ts';
import { bring } from './pull-rendition.ts';
import type { Scratch } from './scratch.ts';
import { TASKS_AFTER_ENCODE } from './tasks/index.ts';
import { makeOutputs, type Transcoded, type TranscodeRun } from './transcode.ts';

/**
 * Finishes a job that MediaConvert has encoded: brings its renditions, makes of them and checks all that the worker makes by itself.
 * @returns with the CPU time of the worker that prepared the job
 * @throws DropreelError
 */
export async function finishEncoded(
  job: Job & { task: Extract<Job['task'], { name: 'finish' }> },
  { s3, progress }: Pick<WorkerContext, 's3' | 'progress'>,
  { scratch, ...run }: TranscodeRun & { scratch: Scratch },
): Promise<{ transcoded: Transcoded; cpuSecondsBefore: number }> {
  const { output, preset, task } = job;
  const { signal } = run;
  const prepared = await readPrepared(s3, job);
  const { probe, ends, report, cpuSeconds } = prepared;
  const carried = asEncoded(planEncode(probe, preset, ends), probe);
  const onProgress = (fraction: number) => progress.at('verifying', fraction / 4);
  const place = { bucket: output.bucket, prefix: `${output.prefix}${task.encoded}` };
  const plan = await pullEncoded({ s3, scratch, ...place, signal, onProgress }, carried.plan);
  // The waveform alone is made of the source.
  if (plan.waveform) await bring(job, { s3, scratch, signal, onProgress: () => {} });
  const warnings = [...prepared.warnings, ...carried.warnings, ...task.warnings];
  const transcoded = await makeOutputs({ ...run, scratch }, { probe, plan, report, warnings }, TASKS_AFTER_ENCODE);
  return { transcoded, cpuSecondsBefore: cpuSeconds };
}

async function readPrepared(s3: WorkerContext['s3'], { jobId, output }: Job): Promise<Prepared> {
  const key = `${output.prefix}${PREPARED_FILE}`;
  const { success, data } = Prepared.safeParse(parseJson((await readText(s3, { bucket: output.bucket, key })) ?? ''));
  if (success && data.jobId === jobId) return data;
  throw new DropreelError('worker_bug', `${PREPARED_FILE} is not that of this job.`);
}
