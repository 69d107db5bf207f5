import type { Rate } from '../../plugin.ts';

/** PUT, COPY, POST and LIST requests. https://aws.amazon.com/s3/pricing/ */
const WRITES: Rate = { what: 'S3 write requests', unit: 'requests', usdPerUnit: 0.005 / 1000 };
/** GET, HEAD and all others; DELETE and aborts are free. */
const READS: Rate = { what: 'S3 read requests', unit: 'requests', usdPerUnit: 0.0004 / 1000 };

export function rate(counted: string): Rate | undefined {
  const operation = /^request:s3:(.*)/.exec(counted)?.[1];
  if (operation === undefined || /^(Delete|Abort)/.test(operation)) return undefined;
  return /^(Get|Head)/.test(operation) ? READS : WRITES;
}
