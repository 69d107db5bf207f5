import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../aws/http-status.ts';
import type { Claim } from '../../core/contracts/job.ts';
import { type Claimable, type Claimed, claimIn, type Place, placeOf } from './claim.ts';
import type { WorkerContext } from './context.ts';
import { Drained } from './failures.ts';
import { log } from './log.ts';
import { putOnce } from './marks.ts';

/**
 * The claim of a job that its engine may give to two machines at once, as an endpoint does that has lost sight of the first. It names the
 * machine, and whoever holds it writes it again and again, each time with another number. A machine that finds another one there waits until
 * that has not changed for the length of the lease by its own clock, and takes it over by If-Match, so that of several one gets it. The
 * holder stops before that, by its own clock, when it cannot renew.
 */

/** Renewals in the length of a lease. */
const RENEWALS = 8;
/** The share of the lease after which a holder that could not renew stops: what it has sent is over before another one begins. */
const GIVES_UP = 0.75;

export type Machine = NonNullable<WorkerContext['machine']>;

/** Who claims. */
interface Holder {
  engineJobId: string;
  machine: Machine;
  /** That of `machine.onLost`, and whatever else stops the worker. */
  signal: AbortSignal;
}

/**
 * Claims for this machine, and waits as long as another one has the job.
 * @returns what was found, and what begins to renew the claim; that returns a function that ends it
 * @throws Drained when it is stopped while it waits
 */
export async function takeLease(
  s3: S3Client,
  job: Claimable,
  holder: Holder,
): Promise<{ claimed: Claimed; renew: () => () => void }> {
  const { engineJobId, machine, signal } = holder;
  const place = placeOf(job);
  const { jobId } = job;
  let seen: { etag: string; at: number } | undefined;
  for (;;) {
    const at = performance.now();
    const taken = (claimed: Claimed) => ({ claimed, renew: () => renewLease(s3, job, holder, at) });
    if ((await putOnce(s3, place, claimOf(job, holder, 0))) === 'written') return taken('mine');
    const there = await claimIn(s3, place);
    if (there) {
      const { claim, etag } = there;
      if (claim.engineJobId !== engineJobId) return taken('other');
      if (!seen && claim.machine !== machine.id) {
        log('info', 'another machine has this job; waiting', { jobId, machine: claim.machine });
      }
      if (etag !== seen?.etag) seen = { etag, at: performance.now() };
      const isFree = claim.machine === machine.id || performance.now() - seen.at >= machine.leaseMs;
      if (isFree && (await replaced(s3, place, claimOf(job, holder, renewalAfter(claim)), etag))) return taken('again');
    }
    await delay(machine.leaseMs / RENEWALS, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw signal.reason;
  }
}

/** @param heldSince `performance.now()` before the claim was written */
function renewLease(s3: S3Client, job: Claimable, holder: Holder, heldSince: number): () => void {
  const { machine } = holder;
  const place = placeOf(job);
  const { jobId } = job;
  let [heldAt, busy] = [heldSince, false];
  const lose = (why: string) => {
    clearInterval(timer);
    log('warn', why, { jobId });
    machine.onLost(new Drained(why));
  };
  const renew = async () => {
    const began = performance.now();
    const there = await claimIn(s3, place);
    if (there?.claim.machine !== machine.id) return lose('another machine has the claim');
    const next = claimOf(job, holder, renewalAfter(there.claim));
    if (await replaced(s3, place, next, there.etag)) heldAt = began;
  };
  const timer = setInterval(() => {
    if (performance.now() - heldAt > GIVES_UP * machine.leaseMs) return lose('the claim could not be renewed');
    if (busy) return;
    busy = true;
    renew()
      .catch((error: unknown) => log('warn', 'the claim was not renewed', { jobId, error: String(error) }))
      .finally(() => {
        busy = false;
      });
  }, machine.leaseMs / RENEWALS);
  timer.unref();
  return () => clearInterval(timer);
}

function claimOf({ jobId }: Claimable, { engineJobId, machine }: Holder, renewal: number): string {
  return JSON.stringify({ jobId, engineJobId, machine: machine.id, renewal } satisfies Claim);
}

function renewalAfter({ renewal = 0 }: Claim): number {
  return renewal + 1;
}

/** False where somebody else was first, or nothing is there. */
async function replaced(s3: S3Client, { bucket, key }: Place, Body: string, IfMatch: string): Promise<boolean> {
  const object = { Bucket: bucket, Key: key, Body, ContentType: 'application/json', IfMatch };
  try {
    await s3.send(new PutObjectCommand(object));
    return true;
  } catch (error) {
    // 409: another write of this key is in progress.
    const status = httpStatus(error);
    if (status === 404 || status === 409 || status === 412) return false;
    throw error;
  }
}
