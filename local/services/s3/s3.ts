import type { ServiceContext } from '../../kernel/account.ts';
import { AwsError, type EmitEvent, type Service, type ServiceRequest } from '../../kernel/service.ts';
import { openCall, splitPath } from './call.ts';
import { corsHeaders, preflight } from './cors.ts';
import { Outbox } from './events.ts';
import { runLifecycle } from './lifecycle.ts';
import { type BucketConfiguration, type CorsRule, S3Error } from './model.ts';
import { settleRestores } from './restore.ts';
import { OPERATIONS, operationOf } from './routes.ts';
import { Store } from './store.ts';
import { xmlError, xmlResponse } from './xml.ts';

export interface S3 {
  service: Service;
  /** Sends events that were pending at a crash. Call it when the bus is running. */
  start(): void;
  corsOf(bucket: string): readonly CorsRule[];
  /** Applies the lifecycle rules now, instead of within the hour. Returns the number of removals and transitions. */
  runLifecycle(): Promise<number>;
  /** Bytes of all current objects, by bucket. */
  storedBytes(): Record<string, number>;
  close(): Promise<void>;
  /** Ends like a crash: everything not on the disk is lost. */
  crash(): Promise<void>;
}

const LIFECYCLE_MS = 3_600_000;

/** The S3 calls of an ordinary client; objects are streamed to and from files. */
export async function createS3(
  context: ServiceContext,
  options: { buckets: BucketConfiguration[]; emit: EmitEvent },
): Promise<S3> {
  const { clock, log } = context;
  const store = await Store.open(context, options.buckets);
  const outbox = new Outbox(store, options.emit, log);
  // Each boot may change a bucket's policy, and S3 gives the time of such a change too (API_ListBuckets.html, CreationDate).
  const created = new Date(clock.now()).toISOString();
  let cancel = () => {};
  const lifecycle = () => runLifecycle(store, clock.now());
  const schedule = () => {
    cancel = clock.after(LIFECYCLE_MS, () => {
      void lifecycle()
        .catch((error) => log(`s3: lifecycle: ${String(error)}`))
        .finally(schedule);
    });
  };

  let cancelSettling = () => {};
  /** Runs when a restore completes or expires, and after each request for one. */
  async function settle(): Promise<void> {
    cancelSettling();
    const next = await settleRestores(store, clock.now());
    outbox.flush();
    cancelSettling();
    if (next !== undefined) cancelSettling = clock.after(Math.max(next - clock.now(), 0), settleSoon);
  }
  const settleSoon = () => void settle().catch((error) => log(`s3: restores: ${String(error)}`));

  async function handle(request: ServiceRequest) {
    const name = operationOf(request);
    if (name === 'ListBuckets') return listBuckets(request);
    const { cors } = store.bucket(splitPath(request.path).bucket).configuration;
    if (request.method === 'OPTIONS') return preflight(request, cors);
    const run = OPERATIONS[name];
    if (!run) throw new AwsError('NotImplemented', 501, `The local S3 does not serve ${name}.`);
    try {
      const response = await run(openCall(request, store, clock.now()));
      if (name === 'RestoreObject') settleSoon();
      return { ...response, headers: { ...response.headers, ...corsHeaders(request, cors) } };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const headers = error instanceof S3Error ? error.headers : {};
      throw new S3Error(error, { ...headers, ...corsHeaders(request, cors) });
    } finally {
      outbox.flush();
    }
  }

  function listBuckets(request: ServiceRequest) {
    request.authorize({ action: 's3:ListAllMyBuckets', resource: '*' });
    const Bucket = store.buckets.map(({ configuration }) => ({ Name: configuration.name, CreationDate: created }));
    return xmlResponse('ListAllMyBucketsResult', { Owner: { ID: 'local' }, Buckets: { Bucket } });
  }

  return {
    service: { name: 's3', operation: operationOf, handle, renderError: xmlError },
    start: () => {
      outbox.flush();
      schedule();
      settleSoon();
    },
    corsOf: (bucket) => store.bucket(bucket).configuration.cors,
    runLifecycle: async () => {
      const removed = await lifecycle();
      outbox.flush();
      return removed;
    },
    storedBytes: () =>
      Object.fromEntries(
        store.buckets.map(({ configuration, keys }) => [
          configuration.name,
          [...keys.entries()].reduce((sum, [, versions]) => sum + versions.reduce((all, { size }) => all + size, 0), 0),
        ]),
      ),
    close: async () => {
      cancel();
      cancelSettling();
      outbox.close();
      await store.close();
    },
    crash: async () => {
      cancel();
      cancelSettling();
      outbox.close();
      await store.abandon();
    },
  };
}
