import { z } from 'zod';
import type { LoadedTemplate, Resource } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';

export interface FunctionConfiguration {
  name: string;
  arn: string;
  roleArn: string;
  /** Directory of the bundle. */
  directory: string;
  /** File without its extension, and export: `index`, `handler`. */
  module: string;
  export: string;
  /** `nodejs24.x` */
  runtime: string;
  /** MiB */
  memorySize: number;
  timeoutSeconds: number;
  environment: Readonly<Record<string, string>>;
  /** Reserved concurrency; undefined: the function shares that of the account. */
  reserved: number | undefined;
  /** `Terminate`: a chain of events that returns to the function is stopped. */
  recursiveLoop: 'Allow' | 'Terminate';
  permissions: InvokePermission[];
  asynchronous: AsynchronousConfiguration;
}

/** Handling of asynchronous invocations. */
export interface AsynchronousConfiguration {
  /** Maximum of retries after errors of the function. */
  maxRetries: number;
  maxAgeSeconds: number;
  /** ARN of a queue. */
  onFailureArn: string | undefined;
}

/** A permission to invoke, in addition to callers' own policies. */
export interface InvokePermission {
  service: string;
  sourceArn?: string | undefined;
}

export interface MappingConfiguration {
  id: string;
  functionArn: string;
  sourceArn: string;
  source: 'sqs' | 'dynamodb';
  batchSize: number;
  windowSeconds: number;
  reportsFailures: boolean;
  maximumConcurrency: number | undefined;
  /** Event patterns; a record must match one of them. */
  filters: unknown[];
  startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /** -1: retried until the record expires. */
  retryAttempts: number;
  bisect: boolean;
  onFailureArn: string | undefined;
}

/** Also the defaults. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html */
const MAX_EVENT_AGE_SECONDS = 6 * 3600;
const MAX_EVENT_RETRIES = 2;

/** Names that Lambda sets itself. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const RESERVED =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_.*|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

/** All values of a function's environment together, in bytes. */
const MAX_ENVIRONMENT_BYTES = 4096;

const FunctionProperties = z.strictObject({
  FunctionName: z.string().optional(),
  Description: Inert,
  Architectures: Inert, // JavaScript runs on any architecture
  Code: z.strictObject({ S3Bucket: z.unknown(), S3Key: z.string() }),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()) }).default({ Variables: {} }),
  Handler: z.string().regex(/^[\w/-]+\.\w+$/),
  LoggingConfig: Inert, // the log is written for the operator
  MemorySize: z.coerce.number().int().min(128).max(10_240).default(128),
  Role: z.string(),
  Runtime: z.string().regex(/^nodejs\d+\.x$/, 'only Node runtimes are served'),
  Timeout: z.coerce.number().int().min(1).max(900).default(3),
  RecursiveLoop: z.enum(['Allow', 'Terminate']).default('Terminate'),
  ReservedConcurrentExecutions: z.coerce.number().int().positive().optional(),
  TracingConfig: Inert, // X-Ray is not served
  Tags: Inert,
});

const PermissionProperties = z.strictObject({
  Action: z.literal('lambda:InvokeFunction'),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: Inert, // there is only one account
});

const MappingProperties = z.strictObject({
  FunctionName: z.string(),
  EventSourceArn: z.string(),
  Enabled: z.literal(true).default(true),
  BatchSize: z.coerce.number().int().positive().optional(),
  MaximumBatchingWindowInSeconds: z.coerce.number().int().nonnegative().default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.coerce.number().int().min(2) }).optional(),
  FilterCriteria: z.strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string() })) }).optional(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']).default('TRIM_HORIZON'),
  MaximumRetryAttempts: z.coerce.number().int().min(-1).default(-1),
  BisectBatchOnFunctionError: z.boolean().default(false),
  DestinationConfig: z.strictObject({ OnFailure: z.strictObject({ Destination: z.string() }) }).optional(),
  Tags: Inert,
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html */
const InvokeConfigProperties = z.strictObject({
  FunctionName: z.string(),
  Qualifier: z.literal('$LATEST', 'versions and aliases are not served'),
  MaximumEventAgeInSeconds: z.coerce.number().int().min(60).max(MAX_EVENT_AGE_SECONDS).optional(),
  MaximumRetryAttempts: z.coerce.number().int().min(0).max(MAX_EVENT_RETRIES).optional(),
  DestinationConfig: z
    .strictObject({
      OnFailure: z.strictObject({ Destination: z.string().regex(/^arn:aws:sqs:/, 'only queues are served') }),
    })
    .optional(),
});

export interface LambdaConfiguration {
  functions: FunctionConfiguration[];
  mappings: MappingConfiguration[];
}

/** Reads functions, permissions to invoke them, and their event sources. Problems are recorded in the reader. */
export function readFunctions(template: LoadedTemplate, reader: PropertyReader): LambdaConfiguration {
  const permissions = template.ofType('AWS::Lambda::Permission').flatMap((resource) => {
    const read = reader.read(resource, PermissionProperties);
    return read ? [read] : [];
  });
  const invokeConfigs = template.ofType('AWS::Lambda::EventInvokeConfig').flatMap((resource) => {
    const read = reader.read(resource, InvokeConfigProperties);
    return read ? [read] : [];
  });
  const functions = template.ofType('AWS::Lambda::Function').flatMap((resource) => {
    const read = reader.read(resource, FunctionProperties);
    if (!read) return [];
    refuseEnvironment(resource, read.Environment.Variables, reader);
    const arn = resource.attributes.Arn ?? '';
    const [module = '', handler = ''] = read.Handler.split('.');
    const names = (target: string) => target === arn || target === resource.name;
    const invokeConfig = invokeConfigs.find(({ FunctionName }) => names(FunctionName));
    const configuration: FunctionConfiguration = {
      name: resource.name,
      arn,
      roleArn: read.Role,
      directory: template.assets.file(read.Code.S3Key),
      module,
      export: handler,
      runtime: read.Runtime,
      memorySize: read.MemorySize,
      timeoutSeconds: read.Timeout,
      environment: read.Environment.Variables,
      reserved: read.ReservedConcurrentExecutions,
      recursiveLoop: read.RecursiveLoop,
      permissions: permissions
        .filter(({ FunctionName }) => names(FunctionName))
        .map(({ Principal: service, SourceArn: sourceArn }) => ({ service, sourceArn })),
      asynchronous: {
        maxRetries: invokeConfig?.MaximumRetryAttempts ?? MAX_EVENT_RETRIES,
        maxAgeSeconds: invokeConfig?.MaximumEventAgeInSeconds ?? MAX_EVENT_AGE_SECONDS,
        onFailureArn: invokeConfig?.DestinationConfig?.OnFailure.Destination,
      },
    };
    return [configuration];
  });
  const mappings = template.ofType('AWS::Lambda::EventSourceMapping').flatMap((resource) => {
    const read = reader.read(resource, MappingProperties);
    if (!read) return [];
    const target = functions.find(({ arn, name }) => arn === read.FunctionName || name === read.FunctionName);
    const source = read.EventSourceArn.split(':')[2];
    if (!target) reader.refuse(resource, `there is no function ${read.FunctionName}`);
    if (source !== 'sqs' && source !== 'dynamodb') {
      reader.refuse(resource, `the event source ${read.EventSourceArn} is not served`);
      return [];
    }
    if (source === 'sqs' && read.FilterCriteria) reader.refuse(resource, 'filters of messages are not served');
    const mapping: MappingConfiguration = {
      id: resource.name,
      functionArn: target?.arn ?? '',
      sourceArn: read.EventSourceArn,
      source,
      batchSize: read.BatchSize ?? (source === 'sqs' ? 10 : 100),
      windowSeconds: read.MaximumBatchingWindowInSeconds,
      reportsFailures: read.FunctionResponseTypes.length > 0,
      maximumConcurrency: read.ScalingConfig?.MaximumConcurrency,
      filters: (read.FilterCriteria?.Filters ?? []).map(({ Pattern }) => JSON.parse(Pattern) as unknown),
      startingPosition: read.StartingPosition,
      retryAttempts: read.MaximumRetryAttempts,
      bisect: read.BisectBatchOnFunctionError,
      onFailureArn: read.DestinationConfig?.OnFailure.Destination,
    };
    return [mapping];
  });
  return { functions, mappings };
}

function refuseEnvironment(resource: Resource, variables: Record<string, string>, reader: PropertyReader): void {
  for (const name of Object.keys(variables)) {
    if (RESERVED.test(name)) reader.refuse(resource, `Lambda reserves the environment name ${name}`);
    if (!/^[A-Za-z]\w+$/.test(name)) reader.refuse(resource, `Lambda does not accept the environment name ${name}`);
  }
  const bytes = Object.entries(variables).reduce((sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v), 0);
  if (bytes > MAX_ENVIRONMENT_BYTES) {
    reader.refuse(resource, `its environment has ${bytes} bytes, Lambda takes ${MAX_ENVIRONMENT_BYTES}`);
  }
}
