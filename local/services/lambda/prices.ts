import type { Prices } from '../../cost/prices.ts';
import type { Rate } from '../../plugin.ts';

export function rate(counted: string, { lambda }: Prices): Rate | undefined {
  if (counted.startsWith('lambda:requests')) {
    return { what: 'Lambda requests', unit: 'requests', usdPerUnit: lambda.request };
  }
  if (!counted.startsWith('lambda:gb-seconds')) return undefined;
  return { what: 'Lambda duration', unit: 'GB-seconds', usdPerUnit: lambda.gbSecond };
}
