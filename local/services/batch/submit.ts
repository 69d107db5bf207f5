import { z } from 'zod';
import { AwsError } from '../../kernel/service.ts';
import { type JobRules, mayOverride } from './environment.ts';
import type { Job, JobSpec } from './job.ts';
import { apiNames, type Definitions, type JobDefinition, type JobQueue } from './template.ts';

/** Bytes. https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html */
const MAX_SUBMIT_BYTES = 30 * 1024;
const MAX_OVERRIDES_CHARACTERS = 8192;

export const invalid = (message: string): AwsError => new AwsError('ClientException', 400, message);

const SubmitJobRequest = z.strictObject({
  jobName: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, 'Job name should match valid pattern'),
  jobQueue: z.string(),
  jobDefinition: z.string(),
  shareIdentifier: z
    .string()
    .regex(/^[A-Za-z0-9]{1,255}\*?$/)
    .optional(),
  schedulingPriorityOverride: z.number().int().min(0).max(9999).optional(),
  arrayProperties: z.strictObject({ size: z.number().int().min(2).max(10_000).optional() }).optional(),
  dependsOn: z
    .array(z.strictObject({ jobId: z.string().optional(), type: z.enum(['SEQUENTIAL', 'N_TO_N']).optional() }))
    .max(20)
    .default([]),
  parameters: z.record(z.string(), z.string()).default({}),
  containerOverrides: z
    .strictObject({
      command: z.array(z.string()).optional(),
      environment: z.array(z.strictObject({ name: z.string(), value: z.string().default('') })).default([]),
      resourceRequirements: z
        .array(z.strictObject({ type: z.enum(['VCPU', 'MEMORY', 'GPU']), value: z.string() }))
        .default([]),
    })
    .optional(),
  retryStrategy: z
    .strictObject({
      attempts: z.number().int().min(1).max(10).optional(),
      evaluateOnExit: z
        .array(
          z.strictObject({
            action: z.string().transform((action) => (action.toUpperCase() === 'RETRY' ? 'RETRY' : 'EXIT')),
            onExitCode: z.string().max(512).optional(),
            onReason: z.string().max(512).optional(),
            onStatusReason: z.string().max(512).optional(),
          }),
        )
        .max(5)
        .default([]),
    })
    .optional(),
  propagateTags: z.boolean().optional(),
  timeout: z.strictObject({ attemptDurationSeconds: z.number().int().min(60) }).optional(),
  tags: z.record(z.string(), z.string()).default({}),
});
type SubmitJobRequest = z.infer<typeof SubmitJobRequest>;

/** @throws AwsError ClientException */
export function parseSubmit(body: string): SubmitJobRequest {
  if (Buffer.byteLength(body) > MAX_SUBMIT_BYTES) {
    throw invalid(`The SubmitJob payload is ${Buffer.byteLength(body)} bytes; at most ${MAX_SUBMIT_BYTES} are allowed`);
  }
  const request = parseRequest(SubmitJobRequest, body);
  // The request as sent, without local defaults.
  const sent: { containerOverrides?: unknown } = JSON.parse(body);
  if ((JSON.stringify(sent.containerOverrides) ?? '').length > MAX_OVERRIDES_CHARACTERS) {
    throw invalid(`Container Overrides length must be at most ${MAX_OVERRIDES_CHARACTERS}`);
  }
  const reserved = request.containerOverrides?.environment.find(({ name }) => name.startsWith('AWS_BATCH'));
  if (reserved) throw invalid(`The environment name ${reserved.name} is reserved: names cannot start with AWS_BATCH`);
  return request;
}

/** @throws AwsError ClientException */
export function parseRequest<T>(schema: z.ZodType<T>, body: string): T {
  let json: unknown;
  try {
    json = JSON.parse(body || '{}');
  } catch {
    throw invalid('The request body is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join('.') || 'request'}: ${issue?.message}`);
}

/** By name or ARN. */
export function findQueue({ jobQueues }: Definitions, nameOrArn: string): JobQueue | undefined {
  return jobQueues.find(({ name, arn }) => nameOrArn === name || nameOrArn === arn);
}

/** By name or ARN, with a revision or, without one, the latest. */
export function findDefinition({ jobDefinitions }: Definitions, reference: string): JobDefinition | undefined {
  const name = reference.slice(reference.indexOf('/') + 1);
  return jobDefinitions
    .filter((it) => name === it.name || name === `${it.name}:${it.revision}`)
    .sort((a, b) => b.revision - a.revision)[0];
}

/**
 * The job as it will run: the definition's defaults with the overrides.
 * @throws AwsError ClientException
 */
export function specify(
  request: SubmitJobRequest,
  known: { queue: JobQueue; definition: JobDefinition; rules: JobRules; findJob: (id: string) => Job | undefined },
): JobSpec {
  const { queue, definition, rules, findJob } = known;
  if (queue.State === 'DISABLED') throw invalid(`Job queue ${queue.arn} is disabled`);
  const { containerOverrides: overrides, shareIdentifier } = request;
  const schedulingPriority = request.schedulingPriorityOverride ?? definition.SchedulingPriority;
  checkShare(queue, shareIdentifier, schedulingPriority);
  const arraySize = request.arrayProperties?.size;
  checkDependencies(request, arraySize, findJob);

  const base = definition.ContainerProperties;
  const defined = base.Environment.map(({ Name }) => Name);
  const foreign = overrides?.environment.find(({ name }) => !mayOverride(name, defined, rules));
  if (foreign) {
    const own = rules.settablePrefix === undefined ? '' : `, or ${rules.settablePrefix}…`;
    throw invalid(`${foreign.name} may not be set on a local job: name it in the job definition${own}`);
  }
  const defaults = apiNames(definition.RetryStrategy) as JobSpec['retryStrategy'];
  const timeout = request.timeout ?? (apiNames(definition.Timeout) as JobSpec['timeout']);
  const parameters = { ...definition.Parameters, ...request.parameters };
  return {
    jobName: request.jobName,
    jobQueue: queue.arn,
    jobDefinition: definition.arn,
    ...(shareIdentifier ? { shareIdentifier } : {}),
    schedulingPriority: schedulingPriority ?? 0,
    parameters,
    retryStrategy: request.retryStrategy
      ? { attempts: request.retryStrategy.attempts ?? 1, evaluateOnExit: request.retryStrategy.evaluateOnExit }
      : defaults,
    ...(timeout ? { timeout } : {}),
    dependsOn: request.dependsOn,
    tags: request.tags,
    propagateTags: request.propagateTags ?? definition.PropagateTags,
    platformCapabilities: definition.PlatformCapabilities,
    container: {
      image: base.Image,
      command: (overrides?.command ?? base.Command).map((part) => substitute(part, parameters)),
      environment: merge(
        base.Environment.map(({ Name, Value }) => ({ name: Name, value: Value })),
        overrides?.environment ?? [],
        ({ name }) => name,
      ),
      resourceRequirements: merge(
        base.ResourceRequirements.map(({ Type, Value }) => ({ type: Type, value: Value })),
        overrides?.resourceRequirements ?? [],
        ({ type }) => type,
      ),
      ...(base.JobRoleArn ? { jobRoleArn: base.JobRoleArn } : {}),
      ...(base.NetworkConfiguration
        ? { networkConfiguration: { assignPublicIp: base.NetworkConfiguration.AssignPublicIp } }
        : {}),
      ...(base.EphemeralStorage ? { ephemeralStorage: { sizeInGiB: base.EphemeralStorage.SizeInGiB } } : {}),
    },
    ...(arraySize ? { arraySize } : {}),
  };
}

/** The messages are AWS's: hashicorp/terraform-provider-aws#31226, https://www.volcengine.com/article/1154372 */
function checkShare(queue: JobQueue, shareIdentifier?: string, schedulingPriority?: number): void {
  if (!queue.SchedulingPolicyArn) {
    if (shareIdentifier === undefined && schedulingPriority === undefined) return;
    throw invalid(
      'Job with shareIdentifier or schedulingPriority can only be submitted to job queue with fair share scheduling policy',
    );
  }
  if (!shareIdentifier) throw invalid('shareIdentifier must be specified: the job queue has a scheduling policy');
  if (schedulingPriority === undefined) {
    throw invalid('Either schedulingPriority in job definition or schedulingPriorityOverride is required.');
  }
}

function checkDependencies(
  { dependsOn }: SubmitJobRequest,
  arraySize: number | undefined,
  findJob: (id: string) => Job | undefined,
): void {
  for (const { jobId, type } of dependsOn) {
    if (type !== undefined && arraySize === undefined) throw invalid(`A ${type} dependency needs an array job`);
    if (type === 'SEQUENTIAL') {
      if (jobId) throw invalid('A SEQUENTIAL dependency takes no job ID');
      continue;
    }
    const job = jobId ? findJob(jobId) : undefined;
    if (!job) throw invalid(`Dependent job ${jobId ?? '(no ID)'} does not exist`);
    if (type === 'N_TO_N' && job.spec.arraySize !== arraySize) {
      throw invalid(`An N_TO_N dependency needs arrays of one size: ${job.id} has ${job.spec.arraySize ?? 'none'}`);
    }
  }
}

/** `Ref::name` is replaced by a parameter. https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html */
function substitute(part: string, parameters: Record<string, string>): string {
  return part.startsWith('Ref::') ? (parameters[part.slice(5)] ?? part) : part;
}

function merge<T>(base: readonly T[], overrides: readonly T[], key: (item: T) => string): T[] {
  const replaced = new Map(base.map((item) => [key(item), item]));
  for (const item of overrides) replaced.set(key(item), item);
  return [...replaced.values()];
}
