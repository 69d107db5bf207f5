import { PRICES } from './prices.ts';

/**
 * What the same run would cost on AWS, from what the local cloud counted.
 *
 * Counted exactly: requests, invocations, events. Estimated: durations, for they are those of this machine, not of AWS's
 * (Lambda's and Fargate's processors are not this one's, the download of the image is missing); DynamoDB units where only
 * requests were counted (one unit each: rows here are smaller than 1 KB); EventBridge's events (one to a request); the price
 * of Fargate Spot. Left out: CloudFront and
 * traffic to viewers, logs, metrics and alarms, the container registry, backups, and whatever does not grow with a run.
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
  /** Names that were counted and have no price here: what is free, and what this table lacks. */
  unpriced: string[];
}

interface Rate {
  what: string;
  unit: string;
  usdPerUnit: number;
  /** Units of one that was counted; 1 where it is not given. */
  scale?: number;
}

const SECONDS_PER_HOUR = 3600;
const hours = (what: string, unit: string, usdPerUnit: number): Rate => ({
  what,
  unit,
  usdPerUnit,
  scale: 1 / SECONDS_PER_HOUR,
});

/** Reads of S3's API; what begins with Delete or Abort is free, all others write or list. */
const S3_READS = /^(Get|Head)/;
const DYNAMODB_READS = /^(GetItem|BatchGetItem|Query|Scan|TransactGetItems)$/;
const DYNAMODB_WRITES = /^(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;

/** What was counted between two snapshots of a Meter. */
export function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const counted = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(counted.filter(([, value]) => value !== 0));
}

/** @param counted amounts by name, as a Meter has them: a difference of two snapshots */
export function costOf(counted: Readonly<Record<string, number>>): Cost {
  const lines = new Map<string, CostLine>();
  const unpriced: string[] = [];
  const countsUnits = Object.keys(counted).some((name) => name.startsWith('dynamodb:write-units'));
  for (const [name, value] of Object.entries(counted)) {
    const rate = rateOf(name, countsUnits);
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

/** @param countsUnits whether DynamoDB's units were counted, so that its requests are not charged again */
function rateOf(name: string, countsUnits: boolean): Rate | undefined {
  const [first = '', second = '', third = ''] = name.split(':');
  if (first === 'request') return requestRate(second, third, countsUnits);
  switch (`${first}:${second}`) {
    case 'lambda:requests':
      return { what: 'Lambda requests', unit: 'requests', usdPerUnit: PRICES.lambda.perRequest };
    case 'lambda:gb-seconds':
      return { what: 'Lambda duration', unit: 'GB-seconds', usdPerUnit: PRICES.lambda.perGbSecond };
    case 'dynamodb:write-units':
      return { what: 'DynamoDB writes', unit: 'write units', usdPerUnit: PRICES.dynamodb.perWriteUnit };
    case 'dynamodb:read-units':
      return { what: 'DynamoDB reads', unit: 'read units', usdPerUnit: PRICES.dynamodb.perReadUnit };
    case 'http-api:requests':
      return { what: 'API Gateway', unit: 'requests', usdPerUnit: PRICES.httpApi.perRequest };
    case 'batch:ephemeral-gb-seconds':
      return hours('Fargate disk', 'GB-hours', PRICES.fargate.perEphemeralGbHour);
    case 'batch:ipv4-seconds':
      return hours('Public addresses', 'hours', PRICES.fargate.perIpv4Hour);
    case 'batch:vcpu-seconds':
    case 'batch:gb-seconds':
      return fargateRate(second, third);
    default:
      return undefined;
  }
}

function requestRate(service: string, operation: string, countsUnits: boolean): Rate | undefined {
  switch (service) {
    case 's3': {
      if (/^(Delete|Abort)/.test(operation)) return undefined;
      const { perReadRequest, perWriteRequest } = PRICES.s3;
      return S3_READS.test(operation)
        ? { what: 'S3 read requests', unit: 'requests', usdPerUnit: perReadRequest }
        : { what: 'S3 write requests', unit: 'requests', usdPerUnit: perWriteRequest };
    }
    case 'dynamodb':
      if (countsUnits) return undefined;
      if (DYNAMODB_READS.test(operation)) return rateOf('dynamodb:read-units', false);
      return DYNAMODB_WRITES.test(operation) ? rateOf('dynamodb:write-units', false) : undefined;
    case 'sqs':
      return { what: 'SQS requests', unit: 'requests', usdPerUnit: PRICES.sqs.perRequest };
    case 'events':
      return { what: 'EventBridge custom events', unit: 'events', usdPerUnit: PRICES.events.perEvent };
    case 'scheduler':
      return { what: 'Scheduler', unit: 'invocations', usdPerUnit: PRICES.scheduler.perInvocation };
    default:
      return undefined;
  }
}

function fargateRate(resource: string, type: string): Rate | undefined {
  if (type !== 'FARGATE' && type !== 'FARGATE_SPOT') return undefined;
  const label = type === 'FARGATE' ? 'Fargate' : 'Fargate Spot';
  const { perVcpuHour, perGbHour } = PRICES.fargate[type];
  return resource === 'vcpu-seconds'
    ? hours(`${label} CPU`, 'vCPU-hours', perVcpuHour)
    : hours(`${label} memory`, 'GB-hours', perGbHour);
}
