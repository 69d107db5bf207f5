import { eachLimit } from '../../aws/concurrency.ts';
import { head, list } from '../../aws/s3.ts';
import { copyObject } from '../../aws/s3-copy.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Copy, PublishPlan } from '../../core/publish/plan.ts';
import type { PublishServices } from './services.ts';

/** Below the 50 sockets that the SDK opens to S3. */
export const AT_ONCE = 40;

/**
 * Copies what is not there yet, and verifies each copy's size and CRC64NVME against what the worker announced.
 * @param earlier `made`: how many an earlier call has made and verified, which are only checked for existence; `any`: whether another call
 * may have made some
 * @returns how many of the first copies are made and verified: all of them, unless time was up
 */
export async function copyAll(
  services: PublishServices,
  plan: PublishPlan,
  earlier: { made: number; any: boolean },
  timeIsUp: () => boolean,
): Promise<number> {
  const there = earlier.any ? await sizesUnder(services, plan.prefixes) : new Map<string, number>();
  const done = Math.min(earlier.made, plan.copies.length);
  const rest = plan.copies.slice(done);
  const made = await eachLimit(
    rest,
    AT_ONCE,
    async (copy) => {
      if (there.get(copy.to) === copy.size && (await crcOf(services, copy.to)) === copy.crc64nvme) return;
      await copyVerified(services, copy);
    },
    timeIsUp,
  );
  // A checksum is of all bytes, so that what this call has made, or met, needs no second look.
  if (made === rest.length && done > 0) await verifyAll(services, plan);
  return done + made;
}

/** @throws DropreelError `publish_failed` where it is missing, or not what was announced */
export async function copyVerified(services: PublishServices, copy: Copy): Promise<void> {
  const bucket = services.mediaBucket;
  const crc = await copyObject(services.s3, { bucket, ...copy }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'NoSuchKey') throw failed(`${copy.from} is missing.`);
    throw error;
  });
  if ((crc ?? (await crcOf(services, copy.to))) !== copy.crc64nvme) {
    throw failed(`${copy.from} is not what the worker announced: its checksum differs.`);
  }
}

async function crcOf(services: PublishServices, key: string): Promise<string | undefined> {
  return (await head(services.s3, { bucket: services.mediaBucket, key }))?.crc64nvme;
}

async function verifyAll(services: PublishServices, plan: PublishPlan): Promise<void> {
  const there = await sizesUnder(services, plan.prefixes);
  for (const { to, size } of plan.copies) {
    const found = there.get(to);
    if (found !== size) throw failed(`${to} has ${found ?? 'no'} bytes instead of ${size}.`);
  }
}

/** Bytes of each object under these prefixes, by key. */
export async function sizesUnder(services: PublishServices, prefixes: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const listing = prefixes.map(async (prefix) => {
    for await (const { key, size } of list(services.s3, services.mediaBucket, prefix)) sizes.set(key, size);
  });
  await Promise.all(listing);
  return sizes;
}

function failed(message: string): DropreelError {
  return new DropreelError('publish_failed', message);
}
