import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { jobSession } from '../../aws/job-session.ts';
import { ArchiveJob } from '../../core/contracts/archive-job.ts';
import { WorkerEnv } from '../../core/contracts/env.ts';
import { EXIT, Job } from '../../core/contracts/job.ts';
import { arrayOf } from '../../engines/batch/parts.ts';
import { archive } from './archive/archive-job.ts';
import { busReporter } from './bus-reporter.ts';
import { Drained } from './failures.ts';
import { log } from './log.ts';
import { ENCODED_PERCENT, reportProgress } from './progress.ts';
import { removeOthers } from './scratch.ts';
import { becomeWorker, withSecondUser } from './users.ts';
import { work } from './worker.ts';

const env = WorkerEnv.parse(process.env);
becomeWorker(env.SCRATCH_DIR);
const job = ArchiveJob.or(Job).parse(JSON.parse(env.DROPREEL_JOB));
// The scratch disk of a GPU worker is its host's.
if (env.USE_GPU) await removeOthers(env.SCRATCH_DIR, job.jobId);
const drain = new AbortController();
process.once('SIGTERM', () => drain.abort(new Drained('SIGTERM')));

// The worker computes checksums of whole objects itself; the SDK would add one of another kind to each request.
const sts = new STSClient({ maxAttempts: 5 });
const credentials = jobSession(sts, env.JOB_ROLE_ARN, job);
const s3 = new S3Client({
  credentials,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  maxAttempts: 5,
});
const context = async () => ({
  s3,
  tools: await withSecondUser({ ffmpeg: env.FFMPEG_PATH, ffprobe: env.FFPROBE_PATH }),
  engineJobId: env.AWS_BATCH_JOB_ID,
  scratchDirectory: env.SCRATCH_DIR,
  signal: drain.signal,
});

async function encode(job: Job): Promise<number> {
  const bus = new EventBridgeClient({
    credentials,
    maxAttempts: 2,
    requestHandler: { requestTimeout: 3000, connectionTimeout: 2000 },
  });
  const { task } = job;
  const isLast = task?.name === 'finish' || task?.name === 'join';
  const beside = task?.name === 'chunk' ? task.beside : undefined;
  const arrayIndex = beside?.index ?? env.AWS_BATCH_JOB_ARRAY_INDEX;
  // A child of an array speaks for all of it, which has no attempts of its own.
  const array = beside?.array ?? arrayOf(env.AWS_BATCH_JOB_ID);
  const child = task?.name === 'chunk' && {
    ...{ index: arrayIndex ?? 0, of: task.count + 1, startedAt: new Date().toISOString() },
    ...(beside && { twin: env.AWS_BATCH_JOB_ID }),
  };
  const identity = {
    jobId: job.jobId,
    engineJobId: array ?? env.AWS_BATCH_JOB_ID,
    attempt: array === undefined ? env.AWS_BATCH_JOB_ATTEMPT : 1,
    ...(task && 'part' in task && { part: task.part }),
    ...(child && { child }),
  };
  const progress = reportProgress(busReporter(bus, env.BUS_NAME), identity, isLast ? ENCODED_PERCENT : 0);
  try {
    const of = { arrayIndex, chunkSeconds: env.CHUNK_SECONDS };
    return await work(job, { ...(await context()), ...of, gpu: env.USE_GPU, progress });
  } finally {
    await progress.close();
  }
}

try {
  process.exitCode = 'kind' in job ? await archive(job, await context()) : await encode(job);
} catch (error) {
  // Not even the result could be written: S3 is unreachable, or the claim was refused.
  log('error', 'the worker could not report its result', {
    error: error instanceof Error ? error.stack : String(error),
  });
  process.exitCode = drain.signal.aborted ? EXIT.drained : EXIT.transient;
}
// Kept-alive sockets would keep the process running for seconds.
process.exit();
