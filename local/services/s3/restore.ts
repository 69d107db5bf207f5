import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import { readText, type S3Call } from './call.ts';
import { changedEvent } from './events.ts';
import { findNamed } from './find.ts';
import { invalidArgument, type ObjectVersion, type Restore } from './model.ts';
import { isArchived, storageClassOf } from './storage-class.ts';
import type { Store } from './store.ts';
import { readXml, textOf } from './xml-read.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * The longest time that AWS names as typical, and none where a tier does not exist.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html
 */
const TAKES_MS: Readonly<Record<string, Partial<Record<Restore['tier'], number>>>> = {
  GLACIER: { Expedited: 5 * MINUTE_MS, Standard: 5 * HOUR_MS, Bulk: 12 * HOUR_MS },
  DEEP_ARCHIVE: { Standard: 12 * HOUR_MS, Bulk: 48 * HOUR_MS },
};
const TIERS = ['Bulk', 'Standard', 'Expedited'] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html */
export async function restoreObject(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:RestoreObject', call.key);
  findNamed(call);
  const { days, tier } = readRequest(await readText(call.request));
  // Looked up again, because reading the request took a while.
  const version = findNamed(call);
  const { store, bucket, now } = call;
  const storageClass = storageClassOf(version);
  if (!isArchived(version)) {
    throw new AwsError('InvalidObjectState', 403, "Restore is not allowed for the object's current storage class", {
      StorageClass: storageClass,
    });
  }
  const takes = TAKES_MS[storageClass]?.[tier];
  if (takes === undefined) throw invalidArgument('Retrieval option is not supported by this storage class');
  const before = version.restore && version.restore.expiresAt > now ? version.restore : undefined;
  if (before && before.readyAt <= now) {
    const restore = { ...before, days, expiresAt: expiryOf(now, days) };
    await store.commit({ type: 'change', bucket, version: { ...version, restore } });
    return { status: 200 };
  }
  // A restore under way can only be made faster.
  if (before && TIERS.indexOf(tier) <= TIERS.indexOf(before.tier)) {
    throw new AwsError('RestoreAlreadyInProgress', 409, 'Object restore is already in progress');
  }
  const readyAt = now + takes;
  const restore: Restore = { tier, days, readyAt, expiresAt: expiryOf(readyAt, days) };
  const restoring = { ...version, restore };
  const detail = { 'source-storage-class': storageClass };
  const detailType = 'Object Restore Initiated';
  const event = changedEvent(store, { bucket, version: restoring, detailType, at: now, by: call, detail });
  await store.commit({ type: 'change', bucket, version: restoring, event });
  return { status: 202 };
}

/** The midnight (UTC) after the days. https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html */
const expiryOf = (since: number, days: number) => Math.ceil((since + days * DAY_MS) / DAY_MS) * DAY_MS;

function readRequest(document: string): { days: number; tier: Restore['tier'] } {
  const request = readXml(document, 'RestoreRequest');
  const days = Number(textOf(request, 'Days'));
  const named = textOf(request.GlacierJobParameters?.[0], 'Tier') ?? textOf(request, 'Tier') ?? 'Standard';
  const tier = TIERS.find((it) => it === named);
  if (!Number.isInteger(days) || days < 1 || !tier) {
    throw new AwsError(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  return { days, tier };
}

/** `x-amz-restore` of HEAD and GET; absent when there is neither a copy nor a restore under way. */
export function restoreHeader({ restore }: ObjectVersion, now: number): Record<string, string> {
  if (!restore || restore.expiresAt <= now) return {};
  const text =
    restore.readyAt > now
      ? 'ongoing-request="true"'
      : `ongoing-request="false", expiry-date="${new Date(restore.expiresAt).toUTCString()}"`;
  return { 'x-amz-restore': text };
}

/** Tells of restores that are complete or whose copies have expired. Returns when the next of them is due. */
export async function settleRestores(store: Store, now: number): Promise<number | undefined> {
  let next = Number.POSITIVE_INFINITY;
  for (const { configuration, keys } of store.buckets) {
    const bucket = configuration.name;
    const restored = [...keys.entries()].flatMap(([, versions]) => versions.filter(({ restore }) => restore));
    for (const { key, versionId } of restored) {
      const version = store.version(bucket, key, versionId);
      if (!version?.restore) continue;
      const { restore, ...without } = version;
      const source = { bucket, at: now, by: undefined };
      if (restore.expiresAt <= now) {
        const detailType = 'Object Restore Expired';
        const event = changedEvent(store, { ...source, version, detailType, detail: {} });
        await store.commit({ type: 'change', bucket, version: without, event });
        continue;
      }
      if (restore.readyAt <= now && !restore.told) {
        const detailType = 'Object Restore Completed';
        const detail = {
          'restore-expiry-time': new Date(restore.expiresAt).toISOString().replace(/\.\d+/, ''),
          'source-storage-class': storageClassOf(version),
        };
        const event = changedEvent(store, { ...source, version, detailType, detail });
        await store.commit({
          type: 'change',
          bucket,
          version: { ...version, restore: { ...restore, told: true } },
          event,
        });
      }
      next = Math.min(next, restore.readyAt > now ? restore.readyAt : restore.expiresAt);
    }
  }
  return Number.isFinite(next) ? next : undefined;
}
