import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ArnFormat, Aws, Duration, Fn, Stack, Validations } from 'aws-cdk-lib';
import { CfnJobDefinition, type CfnJobDefinitionProps } from 'aws-cdk-lib/aws-batch';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ArnPrincipal, PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { DETAIL, SOURCE } from '../../../core/contracts/events.ts';
import { EXIT } from '../../../core/contracts/job.ts';
import { ARCHIVE_PREFIX, DROP_PREFIX, OUTPUT_KEYS, TMP_PREFIX } from '../../../core/contracts/keys.ts';
import { allow, allowEvents, allowListing } from '../../parts/allow.ts';
import { logGroup } from '../../parts/log-group.ts';
import type { StageProps } from '../../parts/stage-props.ts';
import type { Storage } from '../../storage/storage.ts';
import { WORKER_IMAGE } from './worker-image.ts';

export const SCRATCH_DIR = '/scratch';
export const SCRATCH_VOLUME = 'scratch';
const ATTEMPTS = 3;

interface SharedProperties {
  definition: Omit<CfnJobDefinitionProps, 'containerProperties'>;
  container: Omit<CfnJobDefinition.ContainerPropertiesProperty, 'environment'>;
  environment: CfnJobDefinition.EnvironmentProperty[];
}

/** The transcoder's image with its resources, permissions and retry rules. */
export class TranscoderJobDefinition extends Construct {
  /** With the revision, as SubmitJob takes it. */
  readonly arn: string;
  /** The same with a `*` for the revision. */
  readonly anyRevisionArn: string;
  /** What a definition on other machines has in common with this one. */
  readonly shared: SharedProperties;

  constructor(scope: Construct, id: string, stageProps: StageProps, storage: Storage) {
    super(scope, id);
    const { configuration } = stageProps;
    const log = logGroup(this, 'Log', stageProps, 'worker');
    const image = new DockerImageAsset(this, 'Image', {
      directory: imageDirectory(stageProps.dist),
      platform: Platform.LINUX_AMD64,
      // Part of the asset's hash: see the options of `invalidation`.
      buildArgs: { ...WORKER_IMAGE },
    });
    const executionRole = taskRole(this, 'ExecutionRole', [
      allow('logs', ['CreateLogStream', 'PutLogEvents'], log.logGroupArn),
    ]);
    image.repository.grantPull(executionRole);
    Validations.of(executionRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken takes no resource',
    });
    const containerRole = taskRole(this, 'ContainerRole', []);
    const jobRole = new Role(this, 'JobRole', {
      assumedBy: new ArnPrincipal(containerRole.roleArn),
      inlinePolicies: { transcoder: new PolicyDocument({ statements: workerPermissions(storage) }) },
    });
    containerRole.addToPolicy(allow('sts', ['AssumeRole'], jobRole.roleArn));
    const environment = [
      { name: 'BUS_NAME', value: storage.bus.eventBusName },
      { name: 'JOB_ROLE_ARN', value: jobRole.roleArn },
      { name: 'SCRATCH_DIR', value: SCRATCH_DIR },
    ];
    const container = {
      image: image.imageUri,
      jobRoleArn: containerRole.roleArn,
      executionRoleArn: executionRole.roleArn,
      // Nothing but the scratch disk is writable.
      readonlyRootFilesystem: true,
      mountPoints: [{ sourceVolume: SCRATCH_VOLUME, containerPath: SCRATCH_DIR, readOnly: false }],
      logConfiguration: {
        logDriver: 'awslogs',
        options: {
          'awslogs-group': log.logGroupName,
          'awslogs-region': Stack.of(this).region,
          'awslogs-stream-prefix': 'transcoder',
        },
      },
    };
    const definition = {
      type: 'container',
      // The revision before stays active: functions that are not updated yet submit to it, and waiting jobs run on it.
      resourceRetentionPolicy: { skipDeregisterOnUpdate: true },
      propagateTags: true,
      timeout: { attemptDurationSeconds: Duration.hours(configuration.jobTimeoutHours).toSeconds({ integral: false }) },
      retryStrategy: { attempts: ATTEMPTS, evaluateOnExit: EVALUATE_ON_EXIT },
    };
    this.shared = { definition, container, environment };
    const onFargate = new CfnJobDefinition(this, 'JobDefinition', {
      ...definition,
      platformCapabilities: ['FARGATE'],
      containerProperties: {
        ...container,
        environment,
        resourceRequirements: [
          { type: 'VCPU', value: String(configuration.jobVcpus) },
          { type: 'MEMORY', value: String(configuration.workerMemoryMiB) },
        ],
        ephemeralStorage: { sizeInGiB: configuration.scratchGiB },
        // A volume without a host is the task's own, on its ephemeral storage, and removed with it; Fargate does not accept a host.
        // https://docs.aws.amazon.com/batch/latest/APIReference/API_Volume.html
        volumes: [{ name: SCRATCH_VOLUME }],
        networkConfiguration: { assignPublicIp: 'ENABLED' },
        fargatePlatformConfiguration: { platformVersion: 'LATEST' },
        runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      },
    });
    this.arn = onFargate.ref;
    this.anyRevisionArn = anyRevision(onFargate);
  }
}

/** `arn:…:job-definition/NAME:7` for every revision of NAME, which CloudFormation chooses. */
export function anyRevision(definition: CfnJobDefinition): string {
  const stack = Stack.of(definition);
  const name = `{"Fn::Select":[5,{"Fn::Split":[":",{"Ref":"${stack.getLogicalId(definition)}"}]}]}`;
  Validations.of(stack).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:batch:<AWS::Region>:<AWS::AccountId>:${name}:*]`,
    reason: 'A deployment makes a new revision some time before it tells the functions',
  });
  const resource = `${Fn.select(5, Fn.split(':', definition.ref))}:*`;
  return stack.formatArn({ service: 'batch', resource, arnFormat: ArnFormat.NO_RESOURCE_NAME });
}

/** The first match decides, five at most. Batch itself never retries a job that timed out or was terminated. */
const EVALUATE_ON_EXIT: CfnJobDefinition.EvaluateOnExitProperty[] = [
  { onExitCode: String(EXIT.permanent), action: 'EXIT' },
  { onExitCode: String(EXIT.ok), action: 'EXIT' },
  { onStatusReason: 'Host EC2*', action: 'RETRY' },
  { onStatusReason: 'Your Spot Task was interrupted*', action: 'RETRY' },
  // Transient errors, drained or killed workers, images that could not be pulled, and unforeseen crashes.
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
    // Not for tasks of another account. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
    ...(statements.length > 0 && { inlinePolicies: { transcoder: new PolicyDocument({ statements }) } }),
  });
}

/** Reads drops and published outputs, writes under tmp/ only, and sends events to the bus. */
function workerPermissions(storage: Storage): PolicyStatement[] {
  return [...storagePermissions(storage), allowEvents(storage.bus, SOURCE.worker, DETAIL.progress)];
}

/** Of a worker, wherever it runs. */
export function storagePermissions({ uploads, media }: Storage): PolicyStatement[] {
  return [
    // A job names the version that it was made for.
    allow(
      's3',
      ['GetObjectVersion'],
      [DROP_PREFIX, ARCHIVE_PREFIX].map((prefix) => uploads.arnForObjects(`${prefix}*`)),
    ),
    allowListing(uploads, DROP_PREFIX, ARCHIVE_PREFIX),
    // The source of a re-transcode where the original is gone.
    allow(
      's3',
      ['GetObject'],
      OUTPUT_KEYS.map((keys) => media.arnForObjects(keys)),
    ),
    allow('s3', ['GetObject', 'PutObject', 'AbortMultipartUpload'], media.arnForObjects(`${TMP_PREFIX}*`)),
    allowListing(media, TMP_PREFIX),
  ];
}
