import { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { PREPARED_FILE, TMP_PREFIX } from '../../../core/contracts/keys.ts';
import { PARTITIONS } from '../../../core/contracts/table/keys.ts';
import { type ArchiveEnv, BATCH_EVENTS, type BatchEnv } from '../../../engines/batch/names.ts';
import { allow, allowRows } from '../../parts/allow.ts';
import type { StageProps } from '../../parts/stage-props.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EngineConstruct, Grant } from '../engine.ts';
import type { Workers } from '../mediaconvert/mediaconvert.ts';
import { Compute, type JobQueues } from './compute.ts';
import { TranscoderJobDefinition } from './job-definition.ts';
import type { Network } from './network.ts';

/** The engine `batch-cpu`. */
export class BatchEngine extends Construct implements EngineConstruct {
  readonly environment: Record<keyof BatchEnv, string>;
  readonly grants: EngineConstruct['grants'];
  readonly events: EngineConstruct['events'];
  readonly outputs: EngineConstruct['outputs'];
  /** For workers on other machines. */
  readonly network: Network;
  readonly shared: TranscoderJobDefinition['shared'];
  /** For the archive: with the variables of this engine, those of its code. */
  readonly archive: {
    environment: Omit<Record<keyof ArchiveEnv, string>, keyof BatchEnv>;
    queueArn: string;
    maySubmit: PolicyStatement;
  };
  /** For engines whose jobs these workers prepare and finish. */
  readonly workers: Workers;

  constructor(scope: Construct, id: string, stageProps: StageProps, storage: Storage) {
    super(scope, id);
    const compute = new Compute(this, 'Compute', stageProps.configuration, storage);
    const definition = new TranscoderJobDefinition(this, 'Transcoder', stageProps, storage);
    this.network = compute.network;
    this.shared = definition.shared;
    const queues = arnsOf(compute.queues);
    this.environment = {
      JOB_QUEUE: queues.JobQueue,
      RETRANSCODE_JOB_QUEUE: queues.RetranscodeJobQueue,
      ON_DEMAND_JOB_QUEUE: queues.OnDemandJobQueue,
      JOB_DEFINITION: definition.arn,
      JOB_VCPUS: String(stageProps.configuration.jobVcpus),
      COMPUTE_ENVIRONMENTS: compute.environmentArns.join(' '),
      MAX_WORKERS: String(Math.floor(stageProps.configuration.maxVcpus / stageProps.configuration.jobVcpus)),
      JOB_BUCKET: storage.media.bucketName,
    };
    const archiveQueue = compute.archive.queue.jobQueueArn;
    this.archive = {
      environment: { ARCHIVE_JOB_QUEUE: archiveQueue, MAX_ARCHIVES: String(compute.archive.atOnce) },
      queueArn: archiveQueue,
      maySubmit: allow('batch', ['SubmitJob'], [archiveQueue, definition.anyRevisionArn]),
    };
    this.workers = { queues, definition: definition.arn, anyRevision: definition.anyRevisionArn };
    this.grants = grants(this, queues, definition.anyRevisionArn, storage);
    this.events = eventsOf('', queues);
    this.outputs = { ...queues, ArchiveJobQueue: archiveQueue, JobDefinition: definition.arn };
  }
}

interface QueueArns {
  JobQueue: string;
  RetranscodeJobQueue: string;
  OnDemandJobQueue: string;
}

export function arnsOf({ jobQueue, retranscodeJobQueue, onDemandJobQueue }: JobQueues): QueueArns {
  return {
    JobQueue: jobQueue.jobQueueArn,
    RetranscodeJobQueue: retranscodeJobQueue.jobQueueArn,
    OnDemandJobQueue: onDemandJobQueue.jobQueueArn,
  };
}

/** @param prefix of the rules' ids */
export function eventsOf(prefix: string, queues: QueueArns): EngineConstruct['events'] {
  const { source, jobChanged, queueBlocked } = BATCH_EVENTS;
  const of = (detailType: string) => ({
    source: [source],
    detailType: [detailType],
    detail: { jobQueue: Object.values(queues) },
  });
  return { [`${prefix}JobStateChange`]: of(jobChanged), [`${prefix}JobQueueBlocked`]: of(queueBlocked) };
}

/** Sweep alone submits to the queue of re-transcodes. */
export function maySubmit(queues: QueueArns, anyRevision: string): Record<'uploads' | 'all', PolicyStatement> {
  const { JobQueue, OnDemandJobQueue } = queues;
  return {
    uploads: allow('batch', ['SubmitJob'], [JobQueue, OnDemandJobQueue, anyRevision]),
    all: allow('batch', ['SubmitJob'], [...Object.values(queues), anyRevision]),
  };
}

/** @param anyRevision of the definition, because a function is updated some time after it */
function grants(
  scope: Construct,
  queues: QueueArns,
  anyRevision: string,
  { media, table }: Storage,
): EngineConstruct['grants'] {
  const submit = maySubmit(queues, anyRevision);
  const job = Stack.of(scope).formatArn({ service: 'batch', resource: 'job', resourceName: '*' });
  const terminate: Grant = {
    statements: [allow('batch', ['TerminateJob'], job)],
    acknowledged: [
      {
        id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:batch:<AWS::Region>:<AWS::AccountId>:job/*]',
        reason: 'AWS Batch makes the ids of jobs, so that no narrower name is known',
      },
    ],
  };
  const withoutResource = (...actions: string[]): Grant => ({
    statements: [allow('batch', actions, '*')],
    acknowledged: [
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: `of AWS Batch, ${actions.join(', ')} take no resource` },
    ],
  });
  /** A film that its first worker has left in chunks. */
  const readPrepared: Grant = {
    statements: [allow('s3', ['GetObject'], media.arnForObjects(`${TMP_PREFIX}*/${PREPARED_FILE}`))],
  };
  const submitParts: Grant = {
    statements: [
      submit.all,
      // Where engines that are down are noted.
      allowRows(table, ['GetItem', 'UpdateItem', 'DeleteItem'], [PARTITIONS.engines]),
    ],
  };
  return {
    // A job that may have been submitted before is searched by its name.
    'ingest-upload': joined({ statements: [submit.uploads] }, terminate, withoutResource('ListJobs')),
    api: { statements: [submit.uploads] },
    'track-job': joined(submitParts, readPrepared, terminate, withoutResource('ListJobs', 'DescribeJobs')),
    sweep: joined(
      { statements: [submit.all] },
      readPrepared,
      terminate,
      withoutResource('DescribeJobs', 'ListJobs', 'DescribeComputeEnvironments'),
    ),
  };
}

function joined(...parts: Grant[]): Grant {
  return {
    statements: parts.flatMap(({ statements }) => statements),
    acknowledged: parts.flatMap(({ acknowledged = [] }) => acknowledged),
  };
}
