import { Duration } from 'aws-cdk-lib';
import {
  FairshareSchedulingPolicy,
  FargateComputeEnvironment,
  JobQueue,
  type ManagedEc2EcsComputeEnvironment,
} from 'aws-cdk-lib/aws-batch';
import { Construct } from 'constructs';
import type { Configuration } from '../../configuration.ts';
import type { Storage } from '../../storage/storage.ts';
import { Network } from './network.ts';

/** The share of maxVcpus kept for on-demand: for long jobs and reclaimed ones, and for others while Spot has no capacity. */
const ON_DEMAND_SHARE = 0.25;
/** The higher priority is mostly served first while both wait; AWS Batch promises no more, and interrupts nothing. */
const PRIORITY = { ingest: 10, onDemand: 10, retranscode: 1, archive: 0 };
/** The part of the vCPUs on Spot that copies for the archive may take: an encode of hours is not interrupted for an upload that comes. */
const ARCHIVE_SHARE = 0.5;

/** Uploads, re-transcodes, and the jobs of both that AWS may not reclaim. */
export interface JobQueues {
  jobQueue: JobQueue;
  retranscodeJobQueue: JobQueue;
  onDemandJobQueue: JobQueue;
}

/** Fargate from zero to maxVcpus: Spot first, on-demand behind it. Why Fargate: docs/decisions/0100-fargate.md. */
export class Compute extends Construct {
  readonly queues: JobQueues;
  /** Copies for the archive, which give way to everything else, and of which so many may be under way. */
  readonly archive: { queue: JobQueue; atOnce: number };
  readonly network: Network;
  readonly environmentArns: string[];

  constructor(scope: Construct, id: string, configuration: Configuration, storage: Storage) {
    super(scope, id);
    this.network = new Network(this, 'Network', configuration, storage);
    const { vpc, securityGroup } = this.network;
    const shared = { vpc, vpcSubnets: { subnets: vpc.publicSubnets }, securityGroups: [securityGroup] };
    const onDemandVcpus = onDemandShare(configuration.maxVcpus, configuration.jobVcpus);
    const spot = new FargateComputeEnvironment(this, 'Spot', {
      ...shared,
      spot: true,
      maxvCpus: configuration.maxVcpus - onDemandVcpus,
    });
    const onDemand = new FargateComputeEnvironment(this, 'OnDemand', { ...shared, maxvCpus: onDemandVcpus });
    this.environmentArns = [spot, onDemand].map(({ computeEnvironmentArn }) => computeEnvironmentArn);
    this.queues = jobQueues(this, spot, onDemand);
    const spotVcpus = configuration.maxVcpus - onDemandVcpus;
    this.archive = {
      queue: new JobQueue(this, 'ArchiveJobQueue', {
        priority: PRIORITY.archive,
        computeEnvironments: [{ computeEnvironment: spot, order: 1 }],
      }),
      atOnce: Math.max(1, Math.floor((spotVcpus * ARCHIVE_SHARE) / configuration.jobVcpus)),
    };
  }
}

type Environment = FargateComputeEnvironment | ManagedEc2EcsComputeEnvironment;

/** A pair of environments of which the second is behind the first, and the queues in front of them. */
export function jobQueues(scope: Construct, spot: Environment, onDemand: Environment): JobQueues {
  const spotFirst = [
    { computeEnvironment: spot, order: 1 },
    { computeEnvironment: onDemand, order: 2 },
  ];
  // A creator who drops a thousand files does not keep the others waiting.
  const schedulingPolicy = new FairshareSchedulingPolicy(scope, 'ByCreator', { shareDecay: Duration.hours(1) });
  // A policy can neither be added to a queue later nor removed from it: a queue that changes this needs another name.
  return {
    jobQueue: new JobQueue(scope, 'UploadJobQueue', {
      priority: PRIORITY.ingest,
      computeEnvironments: spotFirst,
      schedulingPolicy,
    }),
    retranscodeJobQueue: new JobQueue(scope, 'RetranscodeJobQueue', {
      priority: PRIORITY.retranscode,
      computeEnvironments: spotFirst,
      schedulingPolicy,
    }),
    onDemandJobQueue: new JobQueue(scope, 'OnDemandJobQueue', {
      priority: PRIORITY.onDemand,
      computeEnvironments: [{ computeEnvironment: onDemand, order: 1 }],
      schedulingPolicy,
    }),
  };
}

/** Of all vCPUs, those of the environment on demand: at least one worker's. */
export function onDemandShare(maxVcpus: number, jobVcpus: number): number {
  return Math.max(jobVcpus, Math.floor(maxVcpus * ON_DEMAND_SHARE));
}
