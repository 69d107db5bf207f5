import { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { allow } from '../parts/allow.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import type { Storage } from '../storage/storage.ts';
import { Compute } from './compute.ts';
import { TranscoderJobDefinition } from './job-definition.ts';

/** The engine `batch-cpu`. */
export class Encode extends Construct {
  readonly jobQueueArn: string;
  readonly retranscodeJobQueueArn: string;
  readonly jobDefinitionArn: string;
  /** EngineEnv of core/contracts/env.ts. */
  readonly environment: Record<string, string>;

  constructor(scope: Construct, id: string, surroundings: Surroundings, storage: Storage) {
    super(scope, id);
    const { jobQueue, retranscodeJobQueue } = new Compute(this, 'Compute', surroundings.configuration);
    this.jobQueueArn = jobQueue.jobQueueArn;
    this.retranscodeJobQueueArn = retranscodeJobQueue.jobQueueArn;
    this.jobDefinitionArn = new TranscoderJobDefinition(this, 'Transcoder', surroundings, storage).arn;
    this.environment = {
      JOB_QUEUE: this.jobQueueArn,
      RETRANSCODE_JOB_QUEUE: this.retranscodeJobQueueArn,
      JOB_DEFINITION: this.jobDefinitionArn,
    };
  }

  /** Ids of jobs are AWS Batch's own, so this is for every job of the account. */
  mayTerminate(): PolicyStatement {
    return allow(
      'batch',
      ['TerminateJob'],
      Stack.of(this).formatArn({ service: 'batch', resource: 'job', resourceName: '*' }),
    );
  }

  maySubmit(): PolicyStatement {
    return allow('batch', ['SubmitJob'], [this.jobQueueArn, this.retranscodeJobQueueArn, this.jobDefinitionArn]);
  }
}
