import type { GatewayCall } from '../../local/gateway/hooks.ts';
import type { Principal } from '../../local/kernel/service.ts';

/** Who calls, by a part of the role's name, which is also part of the function's. */
export const ACTORS = {
  'ingest-upload': 'ingestupload',
  'track-job': 'trackjob',
  'publish-output': 'publishoutput',
  'announce-change': 'announcechange',
  'fan-out-change': 'fanoutchange',
  'deliver-webhook': 'deliverwebhook',
  sweep: 'sweeprole',
  worker: 'transcoderjobrole',
} as const;
export type Actor = keyof typeof ACTORS;

const SERVICES = ['s3', 'sqs', 'dynamodb', 'batch'] as const;

/** Before: nothing was done. After: it was done, and the caller never hears of it. A kill is of the caller. */
export const KINDS = ['fail-before', 'fail-after', 'kill-before', 'kill-after'] as const;
export type Kind = (typeof KINDS)[number];

export const MEDIA = ['video', 'sound', 'broken'] as const;
export type Medium = (typeof MEDIA)[number];

/** The nth call of its kind in a flow; the tries of one call by the SDK are one. */
export interface Site {
  actor: Actor;
  service: string;
  operation: string;
  nth: number;
}

export interface Point {
  medium: Medium;
  site: Site;
  kind: Kind;
}

/** Lambda's own, on behalf of a function: without end, and nobody of ours is there to be killed. */
const POLLED = new Set(['ReceiveMessage', 'DeleteMessageBatch', 'DeleteMessage']);
/** The reader of the table's stream asks all the time; what it hands over is lost with no answer of it. */
const STREAM = new Set(['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams']);

export function isPoll({ operation }: Pick<GatewayCall, 'operation'>): boolean {
  return operation === 'ReceiveMessage' || STREAM.has(operation);
}

export function actorOf(principal: Principal): Actor | undefined {
  if (principal.type !== 'role') return undefined;
  const found = Object.entries(ACTORS).find(([, part]) => principal.arn.includes(part));
  return found?.[0] as Actor | undefined;
}

export function siteName({ actor, service, operation }: Omit<Site, 'nth'>): string {
  return `${actor} ${service}:${operation}`;
}

/** Every way to break each recorded call. */
export function pointsOf(
  medium: Medium,
  calls: ReadonlyMap<string, { site: Omit<Site, 'nth'>; count: number }>,
): Point[] {
  const points: Point[] = [];
  for (const { site, count } of calls.values()) {
    if (!SERVICES.some((service) => service === site.service) || STREAM.has(site.operation)) continue;
    const kinds = POLLED.has(site.operation) ? KINDS.filter((kind) => kind.startsWith('fail')) : KINDS;
    const times = site.operation === 'ReceiveMessage' ? 1 : count;
    for (let nth = 1; nth <= times; nth++)
      for (const kind of kinds) points.push({ medium, site: { ...site, nth }, kind });
  }
  return points;
}

export function pointName({ medium, site, kind }: Point): string {
  return `${medium}: ${kind} ${siteName(site)} #${site.nth}`;
}
