import { Duration } from 'aws-cdk-lib';
import { FairshareSchedulingPolicy, FargateComputeEnvironment, JobQueue } from 'aws-cdk-lib/aws-batch';
import { Construct } from 'constructs';
import type { Configuration } from '../../configuration.ts';
import type { Storage } from '../../storage/storage.ts';
import { Network } from './network.ts';

/** The share of maxVcpus kept for on-demand: for long jobs and reclaimed ones, and for others while Spot has no capacity. */
const ON_DEMAND_SHARE = 0.25;
/** The higher priority is mostly served first while both wait; AWS Batch promises no more, and interrupts nothing. */
const PRIORITY = { ingest: 10, onDemand: 10, retranscode: 1 };

/** Fargate from zero to maxVcpus: Spot first, on-demand behind it. Why Fargate: docs/decisions/0100-fargate.md. */
export class Compute extends Construct {
  readonly jobQueue: JobQueue;
  readonly retranscodeJobQueue: JobQueue;
  readonly onDemandJobQueue: JobQueue;
  readonly environmentArns: string[];

  constructor(scope: Construct, id: string, configuration: Configuration, storage: Storage) {
    super(scope, id);
    const { vpc, securityGroup } = new Network(this, 'Network', configuration, storage);
    const shared = { vpc, vpcSubnets: { subnets: vpc.publicSubnets }, securityGroups: [securityGroup] };
    const onDemandVcpus = Math.max(configuration.jobVcpus, Math.floor(configuration.maxVcpus * ON_DEMAND_SHARE));
    const spot = new FargateComputeEnvironment(this, 'Spot', {
      ...shared,
      spot: true,
      maxvCpus: configuration.maxVcpus - onDemandVcpus,
    });
    const onDemand = new FargateComputeEnvironment(this, 'OnDemand', { ...shared, maxvCpus: onDemandVcpus });
    this.environmentArns = [spot, onDemand].map(({ computeEnvironmentArn }) => computeEnvironmentArn);
    const spotFirst = [
      { computeEnvironment: spot, order: 1 },
      { computeEnvironment: onDemand, order: 2 },
    ];
    // A creator who drops a thousand files does not keep the others waiting.
    const schedulingPolicy = new FairshareSchedulingPolicy(this, 'ByCreator', { shareDecay: Duration.hours(1) });
    // A policy can neither be added to a queue later nor removed from it: a queue that changes this needs another name.
    this.jobQueue = new JobQueue(this, 'UploadJobQueue', {
      priority: PRIORITY.ingest,
      computeEnvironments: spotFirst,
      schedulingPolicy,
    });
    this.retranscodeJobQueue = new JobQueue(this, 'RetranscodeJobQueue', {
      priority: PRIORITY.retranscode,
      computeEnvironments: spotFirst,
      schedulingPolicy,
    });
    this.onDemandJobQueue = new JobQueue(this, 'OnDemandJobQueue', {
      priority: PRIORITY.onDemand,
      computeEnvironments: [{ computeEnvironment: onDemand, order: 1 }],
      schedulingPolicy,
    });
  }
}
