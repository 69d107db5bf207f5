import type { EngineName } from '../../core/contracts/engines.ts';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import type { Principal } from '../../local/kernel/service.ts';

/** Who calls: parts of the names of its roles, and of its function, where it is one. */
export const ACTORS = {
  'ingest-upload': { roles: ['ingestupload'], function: 'ingestupload' },
  'track-job': { roles: ['trackjob'], function: 'trackjob' },
  'publish-output': { roles: ['publishoutput'], function: 'publishoutput' },
  'announce-change': { roles: ['announcechange'], function: 'announcechange' },
  'fan-out-change': { roles: ['fanoutchange'], function: 'fanoutchange' },
  'deliver-webhook': { roles: ['deliverwebhook'], function: 'deliverwebhook' },
  sweep: { roles: ['sweeprole'], function: 'sweepfunction' },
  api: { roles: ['apifunctionrole'], function: 'apifunction' },
  worker: { roles: ['transcoderjobrole', 'transcodercontainerrole', 'httpengineworkerrole'], function: null },
} as const;
export type Actor = keyof typeof ACTORS;

/** That of the engine `http`, which is none of AWS. */
export const ENDPOINT = 'endpoint';
const SERVICES = ['s3', 'sqs', 'dynamodb', 'batch', 'mediaconvert', 'secretsmanager', 'sts', 'events', ENDPOINT];
/** What every engine's jobs use alike. */
const SHARED = ['s3', 'sqs', 'dynamodb'];
/** After any of these, all is as it was before. */
const READS = /^(Get|Head|List|Describe|Query|BatchGet|AssumeRole|status|health)/;

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
  engine: EngineName;
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
  const found = Object.entries(ACTORS).find(([, { roles }]) => roles.some((part) => principal.arn.includes(part)));
  return found?.[0] as Actor | undefined;
}

export function siteName({ actor, service, operation }: Omit<Site, 'nth'>): string {
  return `${actor} ${service}:${operation}`;
}

/** Every way to break each recorded call. */
export function pointsOf(
  { engine, medium }: Pick<Point, 'engine' | 'medium'>,
  calls: ReadonlyMap<string, { site: Omit<Site, 'nth'>; count: number }>,
): Point[] {
  const points: Point[] = [];
  for (const { site, count } of calls.values()) {
    if (!SERVICES.includes(site.service) || STREAM.has(site.operation)) continue;
    const polled = POLLED.has(site.operation) ? KINDS.filter((kind) => kind.startsWith('fail')) : KINDS;
    const kinds = engine === 'batch-cpu' ? polled : polled.filter((kind) => isOfEngine(site, kind));
    const times = site.operation === 'ReceiveMessage' ? 1 : count;
    for (let nth = 1; nth <= times; nth++)
      for (const kind of kinds) points.push({ engine, medium, site: { ...site, nth }, kind });
  }
  return points;
}

const OTHERS: readonly Actor[] = ['publish-output', 'announce-change', 'fan-out-change', 'deliver-webhook'];

/**
 * What is tried of the engines beside batch-cpu: deaths at each call that changes something, because one at a read is as one before the next
 * change; deaths and failures at each call of the engine's own service. A run of batch-cpu breaks the rest: what comes after a job's result, what
 * sweep does with rows, failures that the SDK's next try makes up for.
 */
function isOfEngine({ actor, service, operation }: Omit<Site, 'nth'>, kind: Kind): boolean {
  const isOwn = !SHARED.includes(service);
  if (OTHERS.includes(actor) || (actor === 'sweep' && !isOwn)) return false;
  const changes = !READS.test(operation);
  return changes ? isOwn || kind.startsWith('kill') : isOwn && kind !== 'kill-after';
}

export function pointName({ engine, medium, site, kind }: Point): string {
  return `${engine}, ${medium}: ${kind} ${siteName(site)} #${site.nth}`;
}
