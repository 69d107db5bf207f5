import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { BATCH_EVENTS, type BatchEnv } from '../../../engines/batch/names.ts';
import { allow } from '../../parts/allow.ts';
import type { StageProps } from '../../parts/stage-props.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EngineConstruct, Grant } from '../engine.ts';
import { Compute } from './compute.ts';
import { TranscoderJobDefinition } from './job-definition.ts';

/** The engine `batch-cpu`. */
export class BatchEngine extends Construct implements EngineConstruct {
  readonly environment: Record<keyof BatchEnv, string>;
  readonly grants: EngineConstruct['grants'];
  readonly events: EngineConstruct['events'];
  readonly outputs: EngineConstruct['outputs'];

  constructor(scope: Construct, id: string, stageProps: StageProps, storage: Storage) {
    super(scope, id);
    const compute = new Compute(this, 'Compute', stageProps.configuration, storage);
    const definition = new TranscoderJobDefinition(this, 'Transcoder', stageProps, storage);
    const queues = {
      JobQueue: compute.jobQueue.jobQueueArn,
      RetranscodeJobQueue: compute.retranscodeJobQueue.jobQueueArn,
      OnDemandJobQueue: compute.onDemandJobQueue.jobQueueArn,
    };
    this.environment = {
      JOB_QUEUE: queues.JobQueue,
      RETRANSCODE_JOB_QUEUE: queues.RetranscodeJobQueue,
      ON_DEMAND_JOB_QUEUE: queues.OnDemandJobQueue,
      JOB_DEFINITION: definition.arn,
      JOB_VCPUS: String(stageProps.configuration.jobVcpus),
      COMPUTE_ENVIRONMENTS: compute.environmentArns.join(' '),
    };
    this.grants = grants(this, queues, definition.anyRevisionArn);
    const all = Object.values(queues);
    this.events = {
      JobStateChange: {
        source: [BATCH_EVENTS.source],
        detailType: [BATCH_EVENTS.jobChanged],
        detail: { jobQueue: all },
      },
      JobQueueBlocked: {
        source: [BATCH_EVENTS.source],
        detailType: [BATCH_EVENTS.queueBlocked],
        detail: { jobQueue: all },
      },
    };
    this.outputs = { ...queues, JobDefinition: definition.arn };
  }
}

/** @param anyRevision of the definition, because a function is updated some time after it */
function grants(
  scope: Construct,
  queues: Record<'JobQueue' | 'RetranscodeJobQueue' | 'OnDemandJobQueue', string>,
  anyRevision: string,
): EngineConstruct['grants'] {
  // Sweep alone submits to the queue of re-transcodes.
  const submitUploads = allow('batch', ['SubmitJob'], [queues.JobQueue, queues.OnDemandJobQueue, anyRevision]);
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
  return {
    // A job that may have been submitted before is searched by its name.
    'ingest-upload': joined({ statements: [submitUploads] }, terminate, withoutResource('ListJobs')),
    api: { statements: [submitUploads] },
    'track-job': terminate,
    sweep: joined(
      { statements: [allow('batch', ['SubmitJob'], [...Object.values(queues), anyRevision])] },
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
