import { z } from 'zod';
import type { LoadedTemplate, Resource } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';
import { PatternError } from './operators.ts';
import { compilePattern, type Matches } from './pattern.ts';

export interface Target {
  id: string;
  arn: string;
  input?: string;
  inputPath?: string;
  transformer?: { paths: Readonly<Record<string, string>>; template: string };
  deadLetterArn?: string;
  maxRetries: number;
  /** Seconds. */
  maxAge: number;
}

export interface Rule {
  name: string;
  arn: string;
  /** Name of the bus. */
  bus: string;
  matches?: Matches;
  /** `rate(…)` or `cron(…)`. */
  schedule?: string;
  targets: Target[];
}

export interface EventsConfiguration {
  /** Names of the custom buses. */
  buses: string[];
  /** The enabled ones. */
  rules: Rule[];
}

const EventBus = z.strictObject({
  Name: z.string(),
  Description: Inert,
  // Dead letters of buses are for cross-account deliveries; encryption, logs and tags change nothing here.
  DeadLetterConfig: Inert,
  KmsKeyIdentifier: Inert,
  LogConfig: Inert,
  Tags: Inert,
});

const TargetProperties = z.strictObject({
  Id: z.string(),
  Arn: z.string(),
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: z
    .strictObject({ InputPathsMap: z.record(z.string(), z.string()).default({}), InputTemplate: z.string() })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.number().int().min(0).max(185).default(185),
      MaximumEventAgeInSeconds: z.number().int().min(60).max(86_400).default(86_400),
    })
    .optional(),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html */
const RuleProperties = z.strictObject({
  Name: z.string().optional(),
  Description: Inert,
  EventBusName: z.string().default('default'),
  EventPattern: z.unknown().optional(),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  // Five is AWS's quota.
  Targets: z.array(TargetProperties).max(5).default([]),
  Tags: Inert,
});

export function readEvents(template: LoadedTemplate, reader: PropertyReader): EventsConfiguration {
  const buses = template.ofType('AWS::Events::EventBus').flatMap((resource) => {
    return reader.read(resource, EventBus) ? [resource.name] : [];
  });
  const rules = template.ofType('AWS::Events::Rule').flatMap((resource) => readRule(resource, reader));
  return { buses, rules };
}

function readRule(resource: Resource, reader: PropertyReader): Rule[] {
  const rule = reader.read(resource, RuleProperties);
  if (!rule || rule.State === 'DISABLED') return [];
  let matches: Matches | undefined;
  try {
    if (rule.EventPattern !== undefined) matches = compilePattern(rule.EventPattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    reader.refuse(resource, error.message);
    return [];
  }
  if (!matches && rule.ScheduleExpression === undefined) reader.refuse(resource, 'needs a pattern or a schedule');
  return [
    {
      name: resource.name,
      arn: resource.attributes.Arn ?? '',
      bus: busName(rule.EventBusName),
      ...(matches && { matches }),
      ...(rule.ScheduleExpression !== undefined && { schedule: rule.ScheduleExpression }),
      targets: rule.Targets.map((target) => ({
        id: target.Id,
        arn: target.Arn,
        maxRetries: target.RetryPolicy?.MaximumRetryAttempts ?? 185,
        maxAge: target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
        ...(target.Input !== undefined && { input: target.Input }),
        ...(target.InputPath !== undefined && { inputPath: target.InputPath }),
        ...(target.InputTransformer && {
          transformer: {
            paths: target.InputTransformer.InputPathsMap,
            template: target.InputTransformer.InputTemplate,
          },
        }),
        ...(target.DeadLetterConfig && { deadLetterArn: target.DeadLetterConfig.Arn }),
      })),
    },
  ];
}

/** A bus's name from its name or ARN. */
export function busName(nameOrArn: string): string {
  return nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
}
