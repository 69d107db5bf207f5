import { ListJobsCommand } from '@aws-sdk/client-batch';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { head, listVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia } from '../../aws/table.ts';
import { archiveCopyKey } from '../../core/contracts/keys.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { archiveRestored } from '../../core/jobs/archive-purge.ts';
import { markDeleting } from '../../core/jobs/transitions.ts';
import { deleteMedia } from '../../functions/sweep/deletions.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { arns } from '../../local/test/support/batch-world.ts';
import {
  aDayOfLifecycle,
  addClassRules,
  addPolicy,
  archiveAt,
  archiveRowOf,
  COPY,
  copyOfBytes,
  IDLE_IMAGE,
  later,
  NIGHT,
  sourceBytes,
  workerMakes,
} from '../support/archive.ts';
import { emptyServices, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia, sweepWith } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

/** Of the points of death, those tried; 1 for all of them. Odd, so that both kinds are among them. */
const STEP = Number(process.env.DEATH_STEP ?? 23);
const ORIGINAL = 'an original, as it was recorded';
/** A run that died leaves its lease, which lasts for less than this. */
const LEASE_DAYS = 0.005;

const { services, world } = await startStand(IDLE_IMAGE);
const { table, s3 } = services;

/** The process dies at its nth call of S3 or the table: this call and all after it fail. @returns how many it made */
function dieAt(at: number, moment: 'before' | 'after') {
  const seen = { calls: 0 };
  services.onCall = (when, { service }) => {
    if (service !== 's3' && service !== 'dynamodb') return;
    if (when === 'before') seen.calls++;
    if (seen.calls > at || (seen.calls === at && when === moment)) {
      throw new AwsError('ServiceUnavailable', 503, 'The process is dead.');
    }
  };
  return seen;
}

const revive = () => {
  services.onCall = () => {};
};

interface Phase {
  /** What leads to it, unbroken. */
  before: (media: MediaRow) => Promise<void>;
  /** When it runs. */
  at: string;
  run: (now: string) => Promise<unknown>;
  /** What holds in the end. */
  expected: (media: MediaRow) => Promise<void>;
  /** Of its policy. */
  policy?: object;
  /** The bytes of the original. */
  original?: string;
  /** Whether the media item may be gone meanwhile. */
  deletes?: true;
}

const run = (now: string) => archiveAt(services, world, now);
const remove = (now: string) => sweepWith(services, world, now, () => 265_000, [deleteMedia]);
const started = async () => void (await run(NIGHT));
const made = async (media: MediaRow) => {
  await started();
  await workerMakes(services, media, ORIGINAL);
};
const archived = async (media: MediaRow) => {
  await made(media);
  await run(later(NIGHT, 0.01));
};
const restored = async (media: MediaRow) => {
  await archived(media);
  await applyWithRetry(table, async () => {
    const [row, now] = [await archiveRowOf(services, media.mediaId), await getMedia(table, media.mediaId)];
    return row && now ? archiveRestored(row, now, later(NIGHT, 0.02)) : { refused: 'gone' };
  });
};
const marked = async (media: MediaRow) => {
  await archived(media);
  await applyWithRetry(table, async () => {
    const row = await getMedia(table, media.mediaId);
    return row ? markDeleting(row, later(NIGHT, 0.02), media.source.versionId) : { refused: 'gone' };
  });
};

const copyOf = (media: MediaRow) => ({
  bucket: UPLOADS,
  key: archiveCopyKey('ann', media.mediaId, 2, media.source.key),
});
const versionsOf = async (at: { bucket: string; key: string }) => (await listVersions(s3, at)).versions.length;

/** As much as is moved to another class. */
const MOVABLE = 'o'.repeat(10_000_000);
/** The least that S3 takes of a part. */
const PART_BYTES = 5 * 2 ** 20;
const LONG_COPY = copyOfBytes(PART_BYTES + 1000);

const PHASES: Record<string, Phase> = {
  'a worker is asked for the copy': {
    before: async () => {},
    at: NIGHT,
    run,
    expected: async ({ mediaId }) => {
      // The image of these tests ends at once and leaves nothing, so that the row may be due again.
      const filters = [{ name: 'JOB_NAME', values: [`${mediaId}-2`] }];
      const { jobSummaryList } = await world.client.send(new ListJobsCommand({ jobQueue: arns.low, filters }));
      expect(jobSummaryList).toHaveLength(1);
    },
  },
  'the copy takes the place of the original': {
    before: made,
    at: later(NIGHT, 0.01),
    run,
    expected: async (media) => {
      expect(await archiveRowOf(services, media.mediaId)).toMatchObject({ state: 'archived' });
      expect(await sourceBytes(services, media.mediaId)).toBe(COPY);
      expect([await versionsOf(copyOf(media)), await versionsOf(media.source)]).toEqual([1, 1]);
    },
  },
  'a copy in parts takes the place of the original': {
    original: MOVABLE,
    before: async (media) => {
      await started();
      await workerMakes(services, media, MOVABLE, LONG_COPY);
    },
    at: later(NIGHT, 0.01),
    run: (now) => archiveAt(services, world, now, { copyPartBytes: PART_BYTES }),
    expected: async (media) => {
      expect(await archiveRowOf(services, media.mediaId)).toMatchObject({ state: 'archived' });
      expect(await sourceBytes(services, media.mediaId)).toBe(LONG_COPY);
      expect([await versionsOf(copyOf(media)), await versionsOf(media.source)]).toEqual([1, 1]);
    },
  },
  'the original is deleted': {
    before: archived,
    at: later(NIGHT, 2),
    run,
    expected: async (media) => {
      expect(await archiveRowOf(services, media.mediaId)).toMatchObject({ state: 'purged' });
      expect([await versionsOf(copyOf(media)), await versionsOf(media.source)]).toEqual([1, 0]);
    },
  },
  'the copy of a restored original is removed': {
    before: restored,
    at: later(NIGHT, 2),
    run,
    expected: async (media) => {
      expect((await getMedia(table, media.mediaId))?.source).toEqual(media.source);
      expect([await versionsOf(copyOf(media)), await versionsOf(media.source)]).toEqual([0, 1]);
    },
  },
  'an archived media item is deleted': {
    before: marked,
    at: later(NIGHT, 0.02),
    run: remove,
    deletes: true,
    expected: async (media) => {
      expect([await getMedia(table, media.mediaId), await archiveRowOf(services, media.mediaId)]).toEqual([null, null]);
      expect([await versionsOf(copyOf(media)), await versionsOf(media.source)]).toEqual([0, 0]);
    },
  },
};

const moved = async (media: MediaRow) => {
  const { bucket, key, versionId } = media.source;
  const found = await head(s3, { bucket, key, versionId });
  expect([(await archiveRowOf(services, media.mediaId))?.state, found?.storageClass]).toEqual(['moved', 'GLACIER_IR']);
  expect((await getMedia(table, media.mediaId))?.source).toEqual(media.source);
};
const BY_CLASS = { original: MOVABLE, policy: { method: 'storage-class' } };

const MOVES: Record<string, Phase> = {
  'an original is to go to another class': {
    ...BY_CLASS,
    before: async () => {},
    at: NIGHT,
    run,
    expected: async (media) => {
      await aDayOfLifecycle(services);
      await run(later(NIGHT, 1));
      await moved(media);
    },
  },
  'an original is in another class': {
    ...BY_CLASS,
    before: async () => {
      await started();
      await aDayOfLifecycle(services);
    },
    at: later(NIGHT, 1),
    run,
    expected: moved,
  },
};

let prepared = 0;

async function prepare({ before, policy, original = ORIGINAL }: Phase): Promise<MediaRow> {
  addClassRules(services);
  await addPolicy(services, policy);
  prepared++;
  const media = await addMedia(services, 'talks', `kept-${prepared}.mp4`, {
    kind: 'video',
    sourceInfo: { videoCodec: 'h264' },
  });
  const { bucket, key } = media.source;
  // With bytes of its own, and not those of its name.
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: media.source.versionId }));
  const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: original }));
  const source = { ...media.source, versionId: put.VersionId, etag: put.ETag ?? '', size: original.length };
  const row = { ...media, source, current: media.current && { ...media.current, source } };
  await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set: row }]);
  await before(row);
  return row;
}

/** Whatever has happened, the media item leads to a complete file: the original, or the copy that was verified. */
async function checkComplete({ mediaId, source }: MediaRow): Promise<void> {
  const bytes = await sourceBytes(services, mediaId);
  expect([ORIGINAL, COPY, MOVABLE, LONG_COPY].some((complete) => complete === bytes)).toBe(true);
  const row = await archiveRowOf(services, mediaId);
  const isDeletable = row?.state === 'purging' || row?.state === 'purged';
  if (!isDeletable) expect(await head(s3, source)).not.toBeNull();
}

describe.each(Object.entries({ ...PHASES, ...MOVES }))('when %s, a process that is killed', (_, phase) => {
  it(`at any call of S3 or the table loses nothing, and the next run ends the work (each ${STEP}th point)`, async () => {
    await prepare(phase);
    const all = dieAt(Number.POSITIVE_INFINITY, 'before');
    await phase.run(phase.at);
    revive();
    expect(all.calls).toBeGreaterThan(5);
    const points = Array.from({ length: 2 * all.calls }, (_, i) => i).filter(
      (i) => i % STEP === STEP >> 1 || STEP === 1,
    );
    for (const point of points) {
      await emptyServices(services);
      const media = await prepare(phase);
      const [at, moment] = [(point >> 1) + 1, point % 2 === 0 ? ('before' as const) : ('after' as const)];
      dieAt(at, moment);
      await phase.run(phase.at).catch(() => {});
      revive();
      try {
        if (!phase.deletes) await checkComplete(media);
        // Twice: an answer that was lost is waited for, and a deletion waits for what may be under way.
        for (const days of [LEASE_DAYS, 0.05]) await phase.run(later(phase.at, days));
        if (!phase.deletes) await checkComplete(media);
        await phase.expected(media);
      } catch (error) {
        throw new Error(`killed ${moment} call ${at} of ${all.calls}`, { cause: error });
      }
    }
    console.info(`${points.length} of ${2 * all.calls} points, at each of them a complete file`);
  }, 900_000);
});
