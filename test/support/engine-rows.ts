import { BatchClient, ListJobsCommand } from '@aws-sdk/client-batch';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { S3Client } from '@aws-sdk/client-s3';
import type { EngineName } from '../../core/contracts/engines.ts';
import { connectBatchCpu } from '../../engines/batch/films.ts';
import { connectBatchGpu } from '../../engines/batch/gpu.ts';
import { BatchEnv, BatchGpuEnv } from '../../engines/batch/names.ts';
import type { Engine } from '../../engines/engine.ts';
import { Endpoint } from '../../engines/http/client.ts';
import { connectHttp } from '../../engines/http/engine.ts';
import { connectMediaConvert } from '../../engines/mediaconvert/engine.ts';
import { MediaConvertEnv } from '../../engines/mediaconvert/names.ts';
import type { Cloud } from '../../local/boot.ts';
import type { LocalEndpoint } from '../../local/endpoint/endpoint.ts';
import { REGION } from '../../local/kernel/account.ts';
import { ENDPOINT_KEY } from '../../scripts/http-endpoint.ts';

/** What the contract's tests need of the service behind an engine, besides the port. */
export interface EngineRow {
  /** The port, with the developer's permissions. */
  engine: Engine;
  /** The service's ids of its jobs for one job. */
  engineJobs(jobId: string): Promise<string[]>;
  /** Whether the service's answers to submissions are lost, from now on. */
  loseAnswers(lost: boolean): void;
  /** Holds the calls that submit this part of a job, until what is returned is called. */
  holdSubmissions(part: string): () => void;
  /** Ends what encodes without a word, as a lost machine. */
  kill(): void;
  /** Whether anything encodes. */
  busy(): boolean;
  /** The parts of its jobs, by what whoever is at work on one reads of S3 first: without it, that part does not end. */
  parts: Readonly<Record<string, (dropped: { name: string; jobId: string }) => string>>;
}

/** A worker that does all of the encode. */
const WHOLE: EngineRow['parts'] = { encode: ({ name }) => name };

export interface RowContext {
  cloud: Cloud;
  endpoint: LocalEndpoint;
  /** Operations of AWS whose answers are lost. */
  lost: Set<string>;
  /** Holds calls of an operation of AWS, until what is returned is called. */
  hold: (operation: string) => () => void;
}

export const ENGINE_ROWS = {
  'batch-cpu': (context: RowContext) => {
    const { JobQueue, RetranscodeJobQueue, OnDemandJobQueue, JobDefinition, MediaBucket } = context.cloud.outputs;
    const env = BatchEnv.parse({
      JOB_QUEUE: JobQueue,
      RETRANSCODE_JOB_QUEUE: RetranscodeJobQueue,
      ON_DEMAND_JOB_QUEUE: OnDemandJobQueue,
      JOB_DEFINITION: JobDefinition,
      JOB_VCPUS: 4,
      COMPUTE_ENVIRONMENTS: 'not asked for',
      MAX_WORKERS: 16,
      JOB_BUCKET: MediaBucket,
    });
    const s3 = s3Of(context);
    return batchRow(context, [env.JOB_QUEUE, env.ON_DEMAND_JOB_QUEUE], (clients) =>
      connectBatchCpu(env, { ...clients, s3 }),
    );
  },
  'batch-gpu': (context: RowContext) => {
    const { GpuJobQueue, GpuRetranscodeJobQueue, GpuOnDemandJobQueue, GpuJobDefinition, MediaBucket } =
      context.cloud.outputs;
    const env = BatchGpuEnv.parse({
      GPU_JOB_QUEUE: GpuJobQueue,
      GPU_RETRANSCODE_JOB_QUEUE: GpuRetranscodeJobQueue,
      GPU_ON_DEMAND_JOB_QUEUE: GpuOnDemandJobQueue,
      GPU_JOB_DEFINITION: GpuJobDefinition,
      GPU_COMPUTE_ENVIRONMENTS: 'not asked for',
      GPU_MAX_WORKERS: 4,
      JOB_BUCKET: MediaBucket,
    });
    const queues = [env.GPU_JOB_QUEUE, env.GPU_ON_DEMAND_JOB_QUEUE];
    const s3 = s3Of(context);
    return batchRow(context, queues, (clients) => connectBatchGpu(env, { ...clients, s3 }));
  },
  http: ({ endpoint }: RowContext) => ({
    engine: connectHttp('https://api.example.com', new Endpoint(endpoint.url, async () => ENDPOINT_KEY)),
    engineJobs: async (jobId) =>
      endpoint.jobs.all().flatMap(({ id, input }) => {
        return (input as { job: { jobId: string } }).job.jobId === jobId ? [id] : [];
      }),
    loseAnswers: (lost) => {
      endpoint.behaviour.losesRuns = lost;
    },
    holdSubmissions: () => {
      let letGo = () => {};
      const over = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const before = endpoint.intercept;
      endpoint.intercept = async (operation, act) => {
        if (operation === 'run') await over;
        return before(operation, act);
      };
      return () => {
        endpoint.intercept = before;
        letGo();
      };
    },
    kill: () => endpoint.killWorkers(),
    busy: () => endpoint.jobs.counts().inProgress > 0,
    parts: WHOLE,
  }),
  mediaconvert: (context: RowContext) => {
    const { JobQueue, RetranscodeJobQueue, OnDemandJobQueue, JobDefinition, MediaBucket, MediaConvertQueue } =
      context.cloud.outputs;
    const env = MediaConvertEnv.parse({
      MEDIACONVERT_QUEUE: MediaConvertQueue,
      MEDIACONVERT_ROLE: 'not asked for',
      JOB_BUCKET: MediaBucket,
      JOB_QUEUE: JobQueue,
      RETRANSCODE_JOB_QUEUE: RetranscodeJobQueue,
      ON_DEMAND_JOB_QUEUE: OnDemandJobQueue,
      JOB_DEFINITION: JobDefinition,
    });
    const { endpoint, credentials } = context.cloud;
    const client = new MediaConvertClient({ endpoint, region: REGION, credentials });
    const s3 = s3Of(context);
    const row = batchRow(context, [env.JOB_QUEUE], ({ submitting, others }) =>
      connectMediaConvert(env, {
        submitting: client,
        others: client,
        submittingWorkers: submitting,
        workers: others,
        s3,
      }),
    );
    return {
      ...row,
      // Its parts have names of their own.
      engineJobs: async (jobId) => [
        ...(await row.engineJobs(`${jobId}*`)),
        ...context.cloud.mediaconvert.of('jobId', jobId),
      ],
      holdSubmissions: (part) => context.hold(part === 'encode' ? 'CreateJob' : 'SubmitJob'),
      busy: () => row.busy() || context.cloud.mediaconvert.running().length > 0,
      parts: {
        prepare: ({ name }) => name,
        encode: ({ jobId }) => `/tmp/${jobId}/source`,
        finish: ({ jobId }) => `/tmp/${jobId}/encode-`,
      },
    };
  },
} satisfies { [Name in EngineName]: (context: RowContext) => EngineRow };

/** Their names. */
export const CONTRACTED = Object.keys(ENGINE_ROWS) as Contracted[];
export type Contracted = keyof typeof ENGINE_ROWS;

function s3Of({ cloud: { endpoint, credentials } }: RowContext): S3Client {
  return new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
}

function batchRow(
  { cloud, lost, hold }: RowContext,
  queues: readonly string[],
  connect: (clients: { submitting: BatchClient; others: BatchClient }) => Engine,
): EngineRow {
  const client = new BatchClient({ endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials });
  return {
    engine: connect({ submitting: client, others: client }),
    async engineJobs(jobId) {
      const filters = [{ name: 'JOB_NAME', values: [jobId] }];
      const lists = await Promise.all(
        queues.map((jobQueue) => client.send(new ListJobsCommand({ jobQueue, filters }))),
      );
      return lists.flatMap(({ jobSummaryList = [] }) => jobSummaryList.flatMap(({ jobId: id }) => id ?? []));
    },
    loseAnswers: (isLost) => {
      if (isLost) lost.add('SubmitJob');
      else lost.delete('SubmitJob');
    },
    holdSubmissions: () => hold('SubmitJob'),
    kill: () => {
      for (const id of cloud.batch.running()) cloud.batch.kill(id, 'SIGKILL').catch(() => {});
    },
    busy: () => cloud.batch.running().length > 0,
    parts: WHOLE,
  };
}
