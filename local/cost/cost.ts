import { PLUGINS } from '../plugins.ts';
import type { Prices } from './prices.ts';

/**
 * What the same run would cost on AWS, from what the local cloud counted, at the prices that it is given. Which of them an amount is billed
 * at is in each service's `prices.ts`, or its `plugin.ts`.
 *
 * Counted exactly: requests, invocations, events. Estimated: durations, because they are those of this machine, not of AWS's
 * (Lambda's and Fargate's processors are not this one's, the download of the image is missing); DynamoDB units where only
 * requests were counted (one unit each: rows here are smaller than 1 KB); EventBridge's events (one per request); the price
 * of Fargate Spot. Left out: CloudFront and traffic to viewers, logs, metrics and alarms, the container registry, backups, and
 * whatever does not grow with a run.
 */

export interface CostLine {
  /** `S3 write requests` */
  what: string;
  amount: number;
  unit: string;
  usd: number;
}

export interface Cost {
  usd: number;
  lines: CostLine[];
  /** Counted names without a price here: free items, and items that this table lacks. */
  unpriced: string[];
}

/** Amounts counted between two snapshots of a Meter. */
export function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const counted = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(counted.filter(([, value]) => value !== 0));
}

/** @param counted amounts by name, as a Meter has them: a difference of two snapshots */
export function costOf(counted: Readonly<Record<string, number>>, prices: Prices): Cost {
  const lines = new Map<string, CostLine>();
  const unpriced: string[] = [];
  const names = Object.keys(counted);
  for (const [name, value] of Object.entries(counted)) {
    const rate = PLUGINS.map((plugin) => plugin.rate?.(name, prices, names)).find((it) => it !== undefined);
    if (!rate) {
      unpriced.push(name);
      continue;
    }
    const amount = value * (rate.scale ?? 1);
    const line = lines.get(rate.what) ?? { what: rate.what, amount: 0, unit: rate.unit, usd: 0 };
    line.amount += amount;
    line.usd += amount * rate.usdPerUnit;
    lines.set(rate.what, line);
  }
  const sorted = [...lines.values()].sort((a, b) => b.usd - a.usd);
  return { usd: sorted.reduce((sum, { usd }) => sum + usd, 0), lines: sorted, unpriced: unpriced.sort() };
}
