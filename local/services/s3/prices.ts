import type { Prices } from '../../cost/prices.ts';
import type { Rate } from '../../plugin.ts';

/** DELETE and aborts are free; GET and HEAD are reads, all others writes. */
export function rate(counted: string, { s3 }: Prices): Rate | undefined {
  const operation = /^request:s3:(.*)/.exec(counted)?.[1];
  if (operation === undefined || /^(Delete|Abort)/.test(operation)) return undefined;
  if (/^(Get|Head)/.test(operation)) return { what: 'S3 read requests', unit: 'requests', usdPerUnit: s3.read };
  return { what: 'S3 write requests', unit: 'requests', usdPerUnit: s3.write };
}
