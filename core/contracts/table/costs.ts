import { z } from 'zod';
import { CollectionId, CreatorId } from '../ids.ts';

const Amount = z.number().default(0);

/** What the jobs of one collection at one engine took that ended on one day (UTC). */
export const CostRow = z.object({
  type: z.literal('cost'),
  creatorId: CreatorId,
  collectionId: CollectionId,
  engine: z.string(),
  /** Of all whose cost is known, whatever became of them. */
  jobs: Amount,
  usd: Amount,
  vcpuSeconds: Amount,
  /** Of those among them that were published and had an estimate: what they were expected to cost, and did. */
  estimatedJobs: Amount,
  expectedUsd: Amount,
  estimatedUsd: Amount,
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type CostRow = z.infer<typeof CostRow>;
