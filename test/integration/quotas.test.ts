import { expect, it, vi } from 'vitest';
import { head } from '../../aws/s3.ts';
import { getMedia, getRow } from '../../aws/table.ts';
import { randomId } from '../../core/api/random-id.ts';
import { dropKey } from '../../core/contracts/keys.ts';
import { QuotaRow, quotaKey } from '../../core/jobs/quota.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia, dropObject, enginesOf } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand();

/** Nothing that S3 or the preflight would refuse, of unknown duration. */
const BYTES = Buffer.alloc(1_000_000, 7);
const SECONDS = 8;

const drop = (creatorId: string, name: string) =>
  dropObject(services, dropKey({ creatorId, collectionId: 'default', path: name }), BYTES);

function arrives(key: string, quotas: { uploadsPerDay: number; minutesPerDay: number }): Promise<void> {
  const { table, s3 } = services.breakable;
  const object = { key, size: BYTES.length, etag: 'x', sequencer: '0B' };
  const ingestServices = {
    table,
    s3,
    engines: enginesOf(world),
    mediaBucket: MEDIA,
    maxUploadBytes: 1e9,
    scratchBytes: 1e11,
    quotas,
  };
  return ingest(ingestServices, { bucket: { name: UPLOADS }, object }, new Date().toISOString());
}

const used = (creatorId: string) => getRow(services.table, quotaKey(creatorId, new Date().toISOString()), QuotaRow);
const creator = () => `c${randomId(8)}`;

it('an upload is counted once, however often its event arrives', async () => {
  const creatorId = creator();
  const { key } = await drop(creatorId, 'one.mp4');
  const quotas = { uploadsPerDay: 9, minutesPerDay: 9 };
  await Promise.all([arrives(key, quotas), arrives(key, quotas)]);
  await arrives(key, quotas);
  expect(await used(creatorId)).toEqual({ uploads: 1, seconds: SECONDS });
});

it('as many simultaneous uploads are accepted as the quota has room for, and the others fail with the reason', async () => {
  const creatorId = creator();
  const drops = await Promise.all([1, 2, 3, 4, 5].map((i) => drop(creatorId, `${i}.mp4`)));
  await Promise.all(drops.map(({ key }) => arrives(key, { uploadsPerDay: 2, minutesPerDay: 99 })));
  const media = await Promise.all(drops.map(({ mediaId }) => getMedia(services.table, mediaId)));
  expect(media.filter((row) => row?.jobId !== undefined)).toHaveLength(2);
  const refused = media.filter((row) => row?.state === 'failed');
  expect(refused.map((row) => row?.error?.code)).toEqual(Array(3).fill('quota_uploads'));
  expect(await used(creatorId)).toEqual({ uploads: 2, seconds: 2 * SECONDS });
  // Kept, for a retry.
  for (const row of refused)
    expect(await head(services.s3, { bucket: UPLOADS, key: row?.source.key ?? '' })).not.toBeNull();
});

it('a media item beyond the quota of minutes uses up nothing of it, and its published version stays', async () => {
  const { creatorId, mediaId, source } = await addMedia(services, 'talks', 'plays.mp4');
  const before = await used(creatorId);
  await dropObject(services, source.key, BYTES);
  await arrives(source.key, { uploadsPerDay: 99, minutesPerDay: 0.1 });
  expect(await getMedia(services.table, mediaId)).toMatchObject({
    state: 'ready',
    error: { code: 'quota_minutes', message: "It counts for 1 minutes, and 0 of the day's 0.1 are left." },
  });
  expect(await used(creatorId)).toEqual(before);
});
