import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';

/** Every account has it in each region. */
export const DEFAULT_QUEUE = 'Default';

export interface Queue {
  name: string;
  arn: string;
  /** Jobs that run at once. */
  slots: number;
  isPaused: boolean;
}

const QueueProperties = z.strictObject({
  Name: z.string().optional(),
  Description: Inert,
  // Reserved queues are bought, not deployed.
  PricingPlan: z.literal('ON_DEMAND').optional(),
  Status: z.enum(['ACTIVE', 'PAUSED']).default('ACTIVE'),
  ConcurrentJobs: z.coerce.number().int().min(1).optional(),
  Tags: Inert,
});

/** One at a time, as jobs of AWS Batch, because they share this machine. */
const SLOTS = 1;

export function readQueues(template: LoadedTemplate, reader: PropertyReader): Queue[] {
  return template.ofType('AWS::MediaConvert::Queue').flatMap((resource): Queue[] => {
    const properties = reader.read(resource, QueueProperties);
    const arn = resource.attributes.Arn;
    if (!properties || !arn) return [];
    return [{ name: resource.ref, arn, slots: SLOTS, isPaused: properties.Status === 'PAUSED' }];
  });
}
