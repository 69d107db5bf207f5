import type { Configuration } from '../configuration.ts';

/** The variable of the functions that submit jobs. */
export function capVariable({ maxUsdPerMonth }: Configuration): Record<string, string> {
  return maxUsdPerMonth === undefined ? {} : { MAX_USD_PER_MONTH: String(maxUsdPerMonth) };
}
