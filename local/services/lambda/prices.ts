import type { Rate } from '../../plugin.ts';

/** https://aws.amazon.com/lambda/pricing/ */
const REQUESTS: Rate = { what: 'Lambda requests', unit: 'requests', usdPerUnit: 0.2 / 1e6 };
/** Price on arm64. */
const DURATION: Rate = { what: 'Lambda duration', unit: 'GB-seconds', usdPerUnit: 0.0000133334 };

export function rate(counted: string): Rate | undefined {
  if (counted.startsWith('lambda:requests')) return REQUESTS;
  return counted.startsWith('lambda:gb-seconds') ? DURATION : undefined;
}
