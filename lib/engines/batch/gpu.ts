import { Size, Validations } from 'aws-cdk-lib';
import {
  CfnJobDefinition,
  EcsMachineImageType,
  ManagedEc2EcsComputeEnvironment,
  type ManagedEc2EcsComputeEnvironmentProps,
} from 'aws-cdk-lib/aws-batch';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  InstanceType,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  MultipartBody,
  MultipartUserData,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { GPU_INSTANCES } from '../../../core/contracts/prices.ts';
import type { BatchGpuEnv } from '../../../engines/batch/names.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EngineConstruct } from '../engine.ts';
import { arnsOf, type BatchEngine, eventsOf, maySubmit } from './batch.ts';
import { jobQueues, onDemandShare } from './compute.ts';
import { anyRevision, SCRATCH_DIR, SCRATCH_VOLUME } from './job-definition.ts';

/** Of each type of instance. A job has them all, so that fair shares, which count vCPUs, count GPUs as well. */
const JOB_VCPUS = 4;
/** Of 16 GiB the agent and the system keep some: a job that asks for more is never placed. */
const MEMORY_MIB = 14 * 1024;
/** For the system and the image; the workers' disk is the instance's own. */
const ROOT_GIB = 40;

/**
 * Makes the instance's own disk, which ends with it, the workers' scratch before Docker starts. It is a part of MIME multipart text, as AWS Batch
 * requires. https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html
 */
const MOUNT_SCRATCH = [
  `mkdir -p ${SCRATCH_DIR}`,
  'disk=$(readlink -f /dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_* | sort -u | head -n 1)',
  `if [ -b "$disk" ] && ! mountpoint -q ${SCRATCH_DIR}; then`,
  '  blkid "$disk" || mkfs.ext4 -q -E nodiscard "$disk"',
  `  mount -o nosuid,nodev,noexec "$disk" ${SCRATCH_DIR}`,
  'fi',
];

export interface BatchGpuEngineProps {
  maxVcpus: number;
  /** Whose network, image, roles and rules it shares. */
  batch: BatchEngine;
  storage: Storage;
}

/** The engine `batch-gpu`: docs/decisions/0110-batch-gpu.md. */
export class BatchGpuEngine extends Construct implements EngineConstruct {
  readonly environment: Record<keyof BatchGpuEnv, string>;
  readonly grants: EngineConstruct['grants'];
  readonly events: EngineConstruct['events'];
  readonly outputs: EngineConstruct['outputs'];

  constructor(scope: Construct, id: string, { maxVcpus, batch, storage }: BatchGpuEngineProps) {
    super(scope, id);
    const { vpc, securityGroup } = batch.network;
    const shared: Omit<ManagedEc2EcsComputeEnvironmentProps, 'maxvCpus'> = {
      vpc,
      vpcSubnets: { subnets: vpc.publicSubnets },
      securityGroups: [securityGroup],
      minvCpus: 0,
      // Sizes with one GPU each: of a whole family AWS Batch may take one with four for a job that uses one.
      instanceTypes: GPU_INSTANCES.map((type) => new InstanceType(type)),
      useOptimalInstanceClasses: false,
      // By its name, because the default of these families differs between CDK, AWS Batch and their dates.
      images: [{ imageType: EcsMachineImageType.ECS_AL2023_NVIDIA }],
      launchTemplate: this.launchTemplate(),
    };
    const onDemandVcpus = onDemandShare(maxVcpus, JOB_VCPUS);
    const spotVcpus = maxVcpus - onDemandVcpus;
    const spot = new ManagedEc2EcsComputeEnvironment(this, 'Spot', { ...shared, spot: true, maxvCpus: spotVcpus });
    const onDemand = new ManagedEc2EcsComputeEnvironment(this, 'OnDemand', { ...shared, maxvCpus: onDemandVcpus });
    for (const environment of [spot, onDemand]) acknowledgeManagedPolicy(environment);
    const definition = this.jobDefinition(batch.shared);
    const queues = arnsOf(jobQueues(this, spot, onDemand));
    this.environment = {
      GPU_JOB_QUEUE: queues.JobQueue,
      GPU_RETRANSCODE_JOB_QUEUE: queues.RetranscodeJobQueue,
      GPU_ON_DEMAND_JOB_QUEUE: queues.OnDemandJobQueue,
      GPU_JOB_DEFINITION: definition.ref,
      GPU_COMPUTE_ENVIRONMENTS: [spot, onDemand].map((it) => it.computeEnvironmentArn).join(' '),
      GPU_MAX_WORKERS: String(Math.max(1, Math.floor(maxVcpus / JOB_VCPUS))),
      JOB_BUCKET: storage.media.bucketName,
    };
    // The other calls take no resource, or any job: batch-cpu's permissions cover them.
    const submit = maySubmit(queues, anyRevision(definition));
    this.grants = {
      'ingest-upload': { statements: [submit.uploads] },
      api: { statements: [submit.uploads] },
      'track-job': { statements: [submit.all] },
      sweep: { statements: [submit.all] },
    };
    this.events = eventsOf('Gpu', queues);
    this.outputs = {
      GpuJobQueue: queues.JobQueue,
      GpuRetranscodeJobQueue: queues.RetranscodeJobQueue,
      GpuOnDemandJobQueue: queues.OnDemandJobQueue,
      GpuJobDefinition: definition.ref,
    };
  }

  private launchTemplate(): LaunchTemplate {
    const script = UserData.forLinux();
    script.addCommands(...MOUNT_SCRATCH);
    const userData = new MultipartUserData();
    userData.addPart(MultipartBody.fromUserData(script, 'text/cloud-boothook; charset="us-ascii"'));
    const { gibibytes } = Size;
    return new LaunchTemplate(this, 'Host', {
      userData,
      blockDevices: [
        {
          deviceName: '/dev/xvda',
          volume: BlockDeviceVolume.ebs(gibibytes(ROOT_GIB).toGibibytes(), {
            volumeType: EbsDeviceVolumeType.GP3,
            encrypted: true,
          }),
        },
      ],
      // One hop ends at the host: a container cannot ask for the host's credentials.
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      httpPutResponseHopLimit: 1,
    });
  }

  private jobDefinition({ definition, container, environment }: BatchEngine['shared']): CfnJobDefinition {
    return new CfnJobDefinition(this, 'JobDefinition', {
      ...definition,
      platformCapabilities: ['EC2'],
      containerProperties: {
        ...container,
        resourceRequirements: [
          { type: 'GPU', value: '1' },
          { type: 'VCPU', value: String(JOB_VCPUS) },
          { type: 'MEMORY', value: String(MEMORY_MIB) },
        ],
        // Of the host, which has one job at a time: the worker removes what an earlier one has left.
        volumes: [{ name: SCRATCH_VOLUME, host: { sourcePath: SCRATCH_DIR } }],
        environment: [
          ...environment,
          { name: 'USE_GPU', value: 'true' },
          // Without `video` the driver's encoder is not in the container.
          { name: 'NVIDIA_DRIVER_CAPABILITIES', value: 'compute,utility,video' },
        ],
      },
    });
  }
}

function acknowledgeManagedPolicy(environment: ManagedEc2EcsComputeEnvironment): void {
  Validations.of(environment).acknowledge({
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role]',
    reason: "What ECS's agent on a host needs, as AWS maintains it",
  });
}
