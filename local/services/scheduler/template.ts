import { z } from 'zod';
import type { LoadedTemplate, Resource } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';
import type { Rule } from '../eventbridge/template.ts';
import { parseExpression } from './expression.ts';

export interface ScheduleConfiguration {
  name: string;
  arn: string;
  expression: string;
  timeZone: string;
  /** ISO 8601; no run before or after. */
  start?: string;
  end?: string;
  targetArn: string;
  /** JSON text. */
  input: string;
  roleArn: string;
  deadLetterArn?: string;
  maxRetries: number;
  /** Seconds. */
  maxAge: number;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html */
const Schedule = z.strictObject({
  Name: z.string().optional(),
  GroupName: z.literal('default', 'schedule groups are not served').optional(),
  Description: Inert,
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.string().default('UTC'),
  StartDate: z.iso.datetime({ offset: true }).optional(),
  EndDate: z.iso.datetime({ offset: true }).optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  // A run may start at any time of its window; here it starts at the beginning.
  FlexibleTimeWindow: z.strictObject({
    Mode: z.enum(['OFF', 'FLEXIBLE']),
    MaximumWindowInMinutes: z.number().int().min(1).max(1440).optional(),
  }),
  KmsKeyArn: Inert,
  Target: z.strictObject({
    Arn: z.string(),
    RoleArn: z.string(),
    Input: z
      .string()
      .refine((text) => !/<aws\.scheduler\.(execution-id|attempt-number)>/.test(text), 'ids of attempts are not served')
      .default('{}'),
    DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
    RetryPolicy: z
      .strictObject({
        MaximumRetryAttempts: z.number().int().min(0).max(185).default(185),
        MaximumEventAgeInSeconds: z.number().int().min(60).max(86_400).default(86_400),
      })
      .optional(),
  }),
});

/** Reads the enabled schedules. Problems are recorded in the reader. */
export function readSchedules(template: LoadedTemplate, reader: PropertyReader): ScheduleConfiguration[] {
  return template.ofType('AWS::Scheduler::Schedule').flatMap((resource) => {
    const read = reader.read(resource, Schedule);
    if (!read || !isValid(read.ScheduleExpression, read.ScheduleExpressionTimezone, resource, reader)) return [];
    if (read.State === 'DISABLED') return [];
    const { Target } = read;
    return [
      {
        name: resource.name,
        arn: resource.attributes.Arn ?? '',
        expression: read.ScheduleExpression,
        timeZone: read.ScheduleExpressionTimezone,
        targetArn: Target.Arn,
        input: Target.Input,
        roleArn: Target.RoleArn,
        maxRetries: Target.RetryPolicy?.MaximumRetryAttempts ?? 185,
        maxAge: Target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
        ...(read.StartDate && { start: read.StartDate }),
        ...(read.EndDate && { end: read.EndDate }),
        ...(Target.DeadLetterConfig && { deadLetterArn: Target.DeadLetterConfig.Arn }),
      },
    ];
  });
}

/** Records the rules whose schedule expression is wrong. */
export function checkRuleSchedules(rules: readonly Rule[], template: LoadedTemplate, reader: PropertyReader): void {
  for (const resource of template.ofType('AWS::Events::Rule')) {
    const schedule = rules.find(({ name }) => name === resource.name)?.schedule;
    if (schedule !== undefined) isValid(schedule, 'UTC', resource, reader);
  }
}

function isValid(expression: string, timeZone: string, resource: Resource, reader: PropertyReader): boolean {
  try {
    parseExpression(expression, { anchor: 0, timeZone });
    return true;
  } catch (error) {
    reader.refuse(resource, error instanceof Error ? error.message : String(error));
    return false;
  }
}
