import type { Succeeded } from '../../core/contracts/job.ts';
import { pricesIn } from '../../core/contracts/prices.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { allHeld, type Held, takenBy } from '../../core/jobs/cost.ts';
import { priceOf } from '../../engines/registry.ts';

type Cost = JobRow['cost'];

/** Of the region that Lambda runs the function in, and the region that they are of. */
export const { prices: PRICES, region: PRICES_OF } = pricesIn(process.env.AWS_REGION ?? '');

/** The cost of a successful encode, published or not. */
export function costOf(job: JobRow, result: Succeeded): Cost {
  return priceOf(job.engine, { vcpuSeconds: takenBy(job, result), result }, PRICES);
}

/** The cost of a job that left only its engine's figures. Undefined where there are none. */
export function costOfHeld({ engine }: JobRow, held: Held | undefined): Cost {
  const vcpuSeconds = held ? allHeld(held) : 0;
  return vcpuSeconds > 0 ? priceOf(engine, { vcpuSeconds }, PRICES) : undefined;
}
