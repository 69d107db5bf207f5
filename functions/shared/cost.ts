import type { Succeeded } from '../../core/contracts/job.ts';
import { pricesIn } from '../../core/contracts/prices.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { allHeld, takenBy } from '../../core/jobs/cost.ts';
import type { EngineEnd } from '../../engines/engine.ts';
import { priceOf } from '../../engines/registry.ts';

type Cost = JobRow['cost'];

/** Of the region that Lambda runs the function in, and the region that they are of. */
export const { prices: PRICES, region: PRICES_OF } = pricesIn(process.env.AWS_REGION ?? '');

/** The cost of a successful encode, published or not. */
export function costOf(job: JobRow, result: Succeeded): Cost {
  return priceOf(job.engine, { vcpuSeconds: takenBy(job, result), result }, PRICES);
}

/** The cost of a job that failed, by its engine's figures. Undefined where there are none, and none are due. */
export function costOfFailed(job: JobRow, { held, billed }: Pick<EngineEnd, 'held' | 'billed'> = {}): Cost {
  const vcpuSeconds = (job.heldBefore ?? 0) + (held ? allHeld(held) : 0);
  const failed = { part: job.part, billed: billed === true, expectedUsd: job.estimate?.usd ?? 0 };
  const cost = priceOf(job.engine, { vcpuSeconds, failed }, PRICES);
  return vcpuSeconds > 0 || (cost && cost.usd > 0) ? cost : undefined;
}
