import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';

/**
 * The properties of AWS::Batch resources, with intrinsics resolved. Properties not listed here are refused.
 * Properties of AWS's machines, networks and log groups are listed but unused locally.
 */

const Inert = z.unknown().optional();
const Tags = z.record(z.string(), z.string()).optional();
const Whole = z.coerce.number().int();

const ComputeEnvironmentProperties = z.strictObject({
  ComputeEnvironmentName: z.string().optional(),
  Type: z.string(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  ComputeResources: z.looseObject({
    Type: z.enum(['EC2', 'SPOT', 'FARGATE', 'FARGATE_SPOT']),
    MaxvCpus: Whole,
  }),
  ReplaceComputeEnvironment: Inert,
  ServiceRole: Inert,
  UpdatePolicy: Inert,
  Tags,
});

const JobQueueProperties = z.strictObject({
  JobQueueName: z.string().optional(),
  Priority: Whole,
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  ComputeEnvironmentOrder: z.array(z.strictObject({ ComputeEnvironment: z.string(), Order: Whole })).min(1),
  SchedulingPolicyArn: z.string().optional(),
  // Cancels jobs that wait for capacity, which is never exhausted here.
  JobStateTimeLimitActions: Inert,
  Tags,
});

const SchedulingPolicyProperties = z.strictObject({
  Name: z.string().optional(),
  FairsharePolicy: z
    .strictObject({
      ShareDecaySeconds: z.coerce.number().optional(),
      // Reserves vCPUs for shares without active jobs: with local slots there is nothing to reserve.
      ComputeReservation: Inert,
      ShareDistribution: z
        .array(z.strictObject({ ShareIdentifier: z.string(), WeightFactor: z.coerce.number().default(1) }))
        .optional(),
    })
    .optional(),
  Tags,
});

/**
 * A pattern that AWS Batch accepts, with an asterisk only at its end: `Evaluate on exit condition contains restricted characters.`
 * https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
 */
const Reason = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9.:\s]*\*?$/)
  .optional();

const EvaluateOnExit = z.strictObject({
  Action: z.string().transform((action, context) => {
    const upper = action.toUpperCase();
    if (upper === 'RETRY' || upper === 'EXIT') return upper;
    context.addIssue({ code: 'custom', message: 'Action is RETRY or EXIT' });
    return z.NEVER;
  }),
  OnExitCode: z
    .string()
    .regex(/^[0-9]*\*?$/)
    .optional(),
  OnReason: Reason,
  OnStatusReason: Reason,
});

const ContainerProperties = z.strictObject({
  Image: z.string(),
  Command: z.array(z.string()).default([]),
  Environment: z.array(z.strictObject({ Name: z.string(), Value: z.string() })).default([]),
  ResourceRequirements: z
    .array(z.strictObject({ Type: z.enum(['VCPU', 'MEMORY', 'GPU']), Value: z.coerce.string() }))
    .default([]),
  JobRoleArn: z.string().optional(),
  ExecutionRoleArn: z.string().optional(),
  EphemeralStorage: z.strictObject({ SizeInGiB: Whole.min(21).max(200) }).optional(),
  FargatePlatformConfiguration: Inert,
  LinuxParameters: Inert,
  LogConfiguration: Inert,
  MountPoints: Inert,
  NetworkConfiguration: z
    .strictObject({ AssignPublicIp: z.enum(['ENABLED', 'DISABLED']).default('DISABLED') })
    .optional(),
  Privileged: Inert,
  ReadonlyRootFilesystem: Inert,
  RuntimePlatform: Inert,
  Ulimits: Inert,
  User: Inert,
  // A host's directory: here each job has a disk of its own.
  Volumes: z.array(z.strictObject({ Name: z.string(), Host: Inert })).optional(),
});

const FARGATE = 'FARGATE';

const JobDefinitionProperties = z
  .strictObject({
    JobDefinitionName: z.string().optional(),
    Type: z.literal('container'),
    ContainerProperties,
    Parameters: z.record(z.string(), z.string()).default({}),
    PlatformCapabilities: z.array(z.string()).default([]),
    PropagateTags: z.boolean().default(false),
    // Retention of revisions when the template changes: here there is only one.
    ResourceRetentionPolicy: Inert,
    RetryStrategy: z
      .strictObject({
        Attempts: Whole.min(1).max(10).default(1),
        EvaluateOnExit: z.array(EvaluateOnExit).max(5).default([]),
      })
      .default({ Attempts: 1, EvaluateOnExit: [] }),
    SchedulingPriority: Whole.min(0).max(9999).optional(),
    Timeout: z.strictObject({ AttemptDurationSeconds: Whole.min(60) }).optional(),
    Tags,
  })
  .superRefine(({ PlatformCapabilities, ContainerProperties }, context) => {
    if (!PlatformCapabilities.includes(FARGATE)) return;
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['ContainerProperties'], message });
    // A host "shouldn't be provided" on Fargate. https://docs.aws.amazon.com/batch/latest/APIReference/API_Volume.html
    if (ContainerProperties.Volumes?.some(({ Host }) => Host !== undefined)) refuse('a volume has no Host on Fargate');
    // https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
    if (ContainerProperties.ResourceRequirements.some(({ Type }) => Type === 'GPU')) refuse('Fargate has no GPUs');
  });

/** A resource of the template: its ARN (a job definition's with its revision) and its resolved properties. */
export interface TemplateResource {
  arn: string;
  properties: unknown;
}

type Named<T> = T & { arn: string; name: string };
export type ComputeEnvironment = Named<z.infer<typeof ComputeEnvironmentProperties>>;
export type JobQueue = Named<z.infer<typeof JobQueueProperties>>;
export type SchedulingPolicy = Named<z.infer<typeof SchedulingPolicyProperties>>;
export type JobDefinition = Named<z.infer<typeof JobDefinitionProperties>> & { revision: number };

export interface BatchResources {
  computeEnvironments: TemplateResource[];
  jobQueues: TemplateResource[];
  jobDefinitions: TemplateResource[];
  schedulingPolicies: TemplateResource[];
}

export interface Definitions {
  computeEnvironments: ComputeEnvironment[];
  jobQueues: JobQueue[];
  jobDefinitions: JobDefinition[];
  schedulingPolicies: SchedulingPolicy[];
}

/**
 * The template's resources.
 * @throws Error as `readDefinitions`
 */
export function readResources(template: LoadedTemplate): BatchResources {
  const ofType = (type: string, attribute: string) =>
    template
      .ofType(`AWS::Batch::${type}`)
      .map(({ attributes, properties }) => ({ arn: attributes[attribute] ?? '', properties }));
  const resources = {
    computeEnvironments: ofType('ComputeEnvironment', 'ComputeEnvironmentArn'),
    jobQueues: ofType('JobQueue', 'JobQueueArn'),
    jobDefinitions: ofType('JobDefinition', 'JobDefinitionArn'),
    schedulingPolicies: ofType('SchedulingPolicy', 'Arn'),
  };
  readDefinitions(resources);
  return resources;
}

/** @throws Error naming the resource, and each property that is wrong or not served */
export function readDefinitions(resources: BatchResources): Definitions {
  return {
    computeEnvironments: resources.computeEnvironments.map((it) => read(it, ComputeEnvironmentProperties)),
    jobQueues: resources.jobQueues.map((it) => read(it, JobQueueProperties)),
    schedulingPolicies: resources.schedulingPolicies.map((it) => read(it, SchedulingPolicyProperties)),
    jobDefinitions: resources.jobDefinitions.map((it) => {
      const definition = read(it, JobDefinitionProperties);
      const reserved = definition.ContainerProperties.Environment.find(({ Name }) => Name.startsWith('AWS_BATCH'));
      if (reserved) throw new Error(`${it.arn}: the environment name ${reserved.Name} is reserved by AWS Batch`);
      const [name = '', revision = '1'] = definition.name.split(':');
      return { ...definition, name, revision: Number(revision) };
    }),
  };
}

function read<T>(resource: TemplateResource, schema: z.ZodType<T>): Named<T> {
  const parsed = schema.safeParse(resource.properties);
  if (!parsed.success) throw new Error(`${resource.arn}: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, arn: resource.arn, name: resource.arn.slice(resource.arn.indexOf('/') + 1) };
}

// Maps with user-defined keys.
const VERBATIM = new Set(['parameters', 'tags', 'options']);

/** Converts CloudFormation's names to those of the Batch API: `JobRoleArn` → `jobRoleArn`. */
export function apiNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiNames);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = key.charAt(0).toLowerCase() + key.slice(1);
      return [name, VERBATIM.has(name) ? item : apiNames(item)];
    }),
  );
}
