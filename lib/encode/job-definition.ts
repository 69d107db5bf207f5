import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { CfnJobDefinition } from 'aws-cdk-lib/aws-batch';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { EXIT } from '../../core/contracts/job.ts';
import { DROP_PREFIX, OUTPUT_KEYS, TMP_PREFIX } from '../../core/contracts/keys.ts';
import { allow, allowListing } from '../parts/allow.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import type { Storage } from '../storage/storage.ts';

const SCRATCH_DIR = '/scratch';
const ATTEMPTS = 3;

/** The transcoder's image with its resources, permissions and rules for another attempt. */
export class TranscoderJobDefinition extends Construct {
  /** With the revision, as SubmitJob takes it. */
  readonly arn: string;

  constructor(scope: Construct, id: string, surroundings: Surroundings, storage: Storage) {
    super(scope, id);
    const { configuration } = surroundings;
    const logGroup = new LogGroup(this, 'Log', {
      retention: configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const image = new DockerImageAsset(this, 'Image', {
      directory: imageDirectory(surroundings.dist),
      platform: Platform.LINUX_AMD64,
    });
    const executionRole = taskRole(this, 'ExecutionRole', [
      allow('logs', ['CreateLogStream', 'PutLogEvents'], logGroup.logGroupArn),
    ]);
    image.repository.grantPull(executionRole);
    Validations.of(executionRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken takes no resource',
    });
    const definition = new CfnJobDefinition(this, 'JobDefinition', {
      type: 'container',
      platformCapabilities: ['FARGATE'],
      propagateTags: true,
      containerProperties: {
        image: image.imageUri,
        jobRoleArn: taskRole(this, 'JobRole', workerPermissions(storage)).roleArn,
        executionRoleArn: executionRole.roleArn,
        resourceRequirements: [
          { type: 'VCPU', value: String(configuration.jobVcpus) },
          { type: 'MEMORY', value: String(configuration.workerMemoryMiB) },
        ],
        ephemeralStorage: { sizeInGiB: configuration.scratchGiB },
        // The scratch disk is the container's own: Fargate deletes it with the task.
        environment: [
          { name: 'BUS_NAME', value: storage.bus.eventBusName },
          { name: 'SCRATCH_DIR', value: SCRATCH_DIR },
        ],
        networkConfiguration: { assignPublicIp: 'ENABLED' },
        fargatePlatformConfiguration: { platformVersion: 'LATEST' },
        runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
        logConfiguration: {
          logDriver: 'awslogs',
          options: {
            'awslogs-group': logGroup.logGroupName,
            'awslogs-region': Stack.of(this).region,
            'awslogs-stream-prefix': 'transcoder',
          },
        },
      },
      timeout: { attemptDurationSeconds: Duration.hours(configuration.jobTimeoutHours).toSeconds({ integral: false }) },
      retryStrategy: { attempts: ATTEMPTS, evaluateOnExit: EVALUATE_ON_EXIT },
    });
    this.arn = definition.ref;
  }
}

/** The first match decides, five at most. Batch itself never repeats a job that timed out or was terminated. */
const EVALUATE_ON_EXIT: CfnJobDefinition.EvaluateOnExitProperty[] = [
  { onExitCode: String(EXIT.permanent), action: 'EXIT' },
  { onExitCode: String(EXIT.ok), action: 'EXIT' },
  { onStatusReason: 'Host EC2*', action: 'RETRY' },
  { onStatusReason: 'Your Spot Task was interrupted*', action: 'RETRY' },
  // Transient errors, drained or killed workers, images that could not be pulled, and crashes that nobody foresaw.
  { onReason: '*', action: 'RETRY' },
];

function imageDirectory(dist: string): string {
  const directory = join(dist, 'transcoder');
  if (!existsSync(join(directory, 'Dockerfile'))) {
    throw new Error(`${directory} is missing: run the build first (node --import tsx scripts/build.ts).`);
  }
  return directory;
}

function taskRole(scope: Construct, id: string, statements: PolicyStatement[]): Role {
  return new Role(scope, id, {
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    inlinePolicies: { transcoder: new PolicyDocument({ statements }) },
  });
}

/** Reads drops and published outputs, writes under tmp/ and nowhere else, reports on the bus. */
function workerPermissions({ uploads, media, bus }: Storage): PolicyStatement[] {
  return [
    // A job names the version that it was made for.
    allow('s3', ['GetObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
    allowListing(uploads, DROP_PREFIX),
    // What to encode again from, where the original is gone.
    allow(
      's3',
      ['GetObject'],
      OUTPUT_KEYS.map((keys) => media.arnForObjects(keys)),
    ),
    allow('s3', ['GetObject', 'PutObject', 'AbortMultipartUpload'], media.arnForObjects(`${TMP_PREFIX}*`)),
    allowListing(media, TMP_PREFIX),
    allow('events', ['PutEvents'], bus.eventBusArn),
  ];
}
