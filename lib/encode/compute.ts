import { Duration } from 'aws-cdk-lib';
import { FairshareSchedulingPolicy, FargateComputeEnvironment, JobQueue } from 'aws-cdk-lib/aws-batch';
import { Construct } from 'constructs';
import type { Configuration } from '../configuration.ts';
import { Network } from './network.ts';

/** Of maxVcpus, what is kept for on-demand, so that a region out of Spot capacity slows the encoding down but does not stop it. */
const ON_DEMAND_SHARE = 0.25;
/** The higher is served first while both wait. */
const PRIORITY = { ingest: 10, retranscode: 1 };

/** Fargate from zero to maxVcpus: Spot first, on-demand behind it. Why Fargate: docs/decisions/0100-fargate.md. */
export class Compute extends Construct {
  readonly jobQueue: JobQueue;
  readonly retranscodeJobQueue: JobQueue;

  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    const { vpc, securityGroup } = new Network(this, 'Network');
    const shared = { vpc, vpcSubnets: { subnets: vpc.publicSubnets }, securityGroups: [securityGroup] };
    const onDemandVcpus = Math.max(configuration.jobVcpus, Math.floor(configuration.maxVcpus * ON_DEMAND_SHARE));
    const spot = new FargateComputeEnvironment(this, 'Spot', {
      ...shared,
      spot: true,
      maxvCpus: configuration.maxVcpus - onDemandVcpus,
    });
    const onDemand = new FargateComputeEnvironment(this, 'OnDemand', { ...shared, maxvCpus: onDemandVcpus });
    const computeEnvironments = [
      { computeEnvironment: spot, order: 1 },
      { computeEnvironment: onDemand, order: 2 },
    ];
    this.jobQueue = new JobQueue(this, 'JobQueue', { priority: PRIORITY.ingest, computeEnvironments });
    this.retranscodeJobQueue = new JobQueue(this, 'RetranscodeJobQueue', {
      priority: PRIORITY.retranscode,
      computeEnvironments,
      // Of the few that sweep has submitted, those of several creators take turns.
      schedulingPolicy: new FairshareSchedulingPolicy(this, 'ByCreator', { shareDecay: Duration.hours(1) }),
    });
  }
}
