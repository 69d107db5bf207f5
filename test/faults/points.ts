import type { EngineName } from '../../core/contracts/engines.ts';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import type { Principal } from '../../local/kernel/service.ts';

/** Who calls, by parts of the names of roles. */
const ACTORS = {
  'ingest-upload': ['ingestupload'],
  'track-job': ['trackjob'],
  'publish-output': ['publishoutput'],
  'announce-change': ['announcechange'],
  'fan-out-change': ['fanoutchange'],
  'deliver-webhook': ['deliverwebhook'],
  sweep: ['sweeprole'],
  api: ['apifunctionrole'],
  worker: ['transcoderjobrole', 'transcodercontainerrole', 'httpengineworkerrole'],
} as const;
export type Actor = keyof typeof ACTORS;

/** Parts of the names of functions. */
export const FUNCTIONS: Record<Exclude<Actor, 'worker'>, string> = {
  'ingest-upload': 'ingestupload',
  'track-job': 'trackjob',
  'publish-output': 'publishoutput',
  'announce-change': 'announcechange',
  'fan-out-change': 'fanoutchange',
  'deliver-webhook': 'deliverwebhook',
  sweep: 'sweepfunction',
  api: 'apifunction',
};

/** That of the engine `http`, which is none of AWS. */
export const ENDPOINT = 'endpoint';
const SERVICES = ['s3', 'sqs', 'dynamodb', 'batch', 'mediaconvert', 'secretsmanager', 'sts', 'events', ENDPOINT];
/** Of the engines beside batch-cpu: what comes after a job's result is the same code. Of sweep, its calls to engines. */
const OF_ENGINES: readonly Actor[] = ['ingest-upload', 'track-job', 'api', 'worker', 'sweep'];
const OF_ROWS = ['s3', 'sqs', 'dynamodb'];

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
  const found = Object.entries(ACTORS).find(([, parts]) => parts.some((part) => principal.arn.includes(part)));
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
    if (engine !== 'batch-cpu' && !isOfEngine(site)) continue;
    const kinds = POLLED.has(site.operation) ? KINDS.filter((kind) => kind.startsWith('fail')) : KINDS;
    const times = site.operation === 'ReceiveMessage' ? 1 : count;
    for (let nth = 1; nth <= times; nth++)
      for (const kind of kinds) points.push({ engine, medium, site: { ...site, nth }, kind });
  }
  return points;
}

function isOfEngine({ actor, service }: Omit<Site, 'nth'>): boolean {
  return OF_ENGINES.includes(actor) && !(actor === 'sweep' && OF_ROWS.includes(service));
}

export function pointName({ engine, medium, site, kind }: Point): string {
  return `${engine}, ${medium}: ${kind} ${siteName(site)} #${site.nth}`;
}
