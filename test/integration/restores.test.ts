import { ListJobsCommand } from '@aws-sdk/client-batch';
import { CopyObjectCommand, DeleteObjectCommand, HeadObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { apply, getJob, getMedia } from '../../aws/table.ts';
import { CollectionArchivePolicy, type RestoreTier } from '../../core/contracts/archive.ts';
import type { ArchivePolicyRow } from '../../core/contracts/table/archive.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { acceptUpload } from '../../core/jobs/transitions.ts';
import { carryOnWith } from '../../functions/ingest-upload/carry-on-with.ts';
import { readPreset } from '../../functions/shared/encoding.ts';
import { submitJob } from '../../functions/shared/submit-job.ts';
import { repairJobs } from '../../functions/sweep/jobs.ts';
import { resumeRestored } from '../../functions/sweep/restores.ts';
import { renewMedia } from '../../functions/sweep/retranscodes.ts';
import type { Part } from '../../functions/sweep/sweep.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { arns } from '../../local/test/support/batch-world.ts';
import { job, source } from '../support/factories.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia, CAP, enginesOf, LONG_AGO, sweepWith } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

/** Of the calls at which functions die, those tried; 1 for all of them. Odd, so that both moments of a call are among them. */
const STEP = Number(process.env.DEATH_STEP ?? 5);
const HOUR_MS = 3_600_000;
const { services, world } = await startStand({ slots: 0 });

/** The parts of sweep that see to jobs. */
const run = (minutes = 0, parts: Part[] = [repairJobs, resumeRestored, renewMedia]) => {
  const now = new Date(Date.now() + minutes * 60_000).toISOString();
  return sweepWith(services, world, now, () => 265_000, parts);
};
const rowOf = ({ mediaId }: MediaRow) => getMedia(services.table, mediaId);
const jobOf = ({ mediaId }: MediaRow, n = 2) => getJob(services.table, mediaId, n);
const FLAGGED = { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: LONG_AGO };

/** A ready media item whose upload is in an archive class. */
async function archived(
  name: string,
  storageClass: 'GLACIER' | 'DEEP_ARCHIVE' = 'GLACIER',
  more: Partial<MediaRow> = {},
): Promise<MediaRow> {
  const key = `drop/ann/films/${name}`;
  const row = await addMedia(services, 'films', name);
  const { source: plain } = row;
  const copy = { Bucket: UPLOADS, Key: key, CopySource: `${UPLOADS}/${key}`, StorageClass: storageClass };
  const { VersionId, CopyObjectResult } = await services.s3.send(new CopyObjectCommand(copy));
  const from = source({ ...plain, versionId: VersionId, etag: CopyObjectResult?.ETag ?? '' });
  const set = { source: from, current: row.current && { ...row.current, source: from }, ...more };
  await apply(services.table, [{ op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set }]);
  return { ...row, ...set };
}

const headOf = ({ source: { bucket: Bucket, key: Key, versionId: VersionId } }: MediaRow) =>
  services.s3.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
const restored = ({ source: { bucket, key, versionId } }: MediaRow) =>
  carryOnWith(
    { ...services.breakable, engines: enginesOf(world), mediaBucket: MEDIA },
    { bucket: { name: bucket }, object: { key, 'version-id': versionId } },
  );
const engineJobsOf = async ({ mediaId }: MediaRow) => {
  const filters = [{ name: 'JOB_NAME', values: [`${mediaId}-2`] }];
  const { jobSummaryList = [] } = await world.client.send(new ListJobsCommand({ jobQueue: arns.fair, filters }));
  return jobSummaryList.length;
};
const countRestores = () => {
  const asked: string[] = [];
  services.onCall = (moment, { operation }) => {
    if (moment === 'before' && operation === 'RestoreObject') asked.push(operation);
  };
  return asked;
};
async function prefer(restoreTier: RestoreTier): Promise<void> {
  const row: ArchivePolicyRow = {
    ...{ type: 'archive-policy', creatorId: 'ann', collectionId: 'films', enabled: true, rev: 1, updatedAt: LONG_AGO },
    policy: CollectionArchivePolicy.parse({ restoreTier }),
  };
  await apply(services.table, [{ op: 'put', key: rowKeys.archivePolicy('ann', 'films'), row }]);
}

describe('a re-transcode whose upload is in an archive', () => {
  it('asks once for its restore, waits while the old version plays, and goes on with the event, also twice', async () => {
    const media = await archived('event.mp4', 'GLACIER', FLAGGED);
    const asked = countRestores();
    await run();
    expect(await rowOf(media)).toMatchObject({
      state: 'retranscoding',
      current: { version: 1 },
      error: { code: 'source_restoring' },
      restoring: { tier: 'Standard', from: 'GLACIER' },
    });
    expect((await headOf(media)).Restore).toBe('ongoing-request="true"');
    const { seq } = (await rowOf(media)) ?? expect.fail('no media item');
    // Neither an event about another version nor a look changes anything.
    await restored({ ...media, source: { ...media.source, versionId: 'another' } });
    await run();
    await run(31);
    expect(asked).toHaveLength(1);
    expect(await rowOf(media)).toMatchObject({ seq });
    expect(await engineJobsOf(media)).toBe(0);
    services.clock.advance(5 * HOUR_MS);
    await restored(media);
    await restored(media);
    expect(await run()).toMatchObject({ jobsRestored: 1 });
    await restored(media);
    await run();
    expect(await engineJobsOf(media)).toBe(1);
    expect(await rowOf(media)).not.toHaveProperty('error');
    expect(await rowOf(media)).toMatchObject({ state: 'retranscoding', jobCount: 2 });
    expect(await jobOf(media)).toMatchObject({ todo: DUE_WORK.retranscodeJob, engineJobId: expect.any(String) });
    expect(asked).toHaveLength(1);
  });

  it('is found when the event is lost', async () => {
    const media = await archived('lost.mp4', 'GLACIER', FLAGGED);
    await run();
    services.clock.advance(5 * HOUR_MS);
    await run();
    expect(await engineJobsOf(media)).toBe(0);
    expect(await run(31)).toMatchObject({ jobsRestored: 1 });
    expect(await engineJobsOf(media)).toBe(1);
  });

  it('whose functions die at each of their calls is restored and encoded once in the end', async () => {
    for (let at = 1; ; at += STEP) {
      const media = await archived(`dies ${at}.mp4`, 'GLACIER', FLAGGED);
      const breaking = async (work: () => Promise<unknown>) => {
        let calls = 0;
        services.onCall = () => {
          if (++calls >= at) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
        };
        await work().catch(() => {});
        services.onCall = () => {};
        return calls >= at;
      };
      const died = [await breaking(() => run(0, [renewMedia]))];
      await run(16);
      expect(await jobOf(media)).toMatchObject({ todo: DUE_WORK.restoringJob });
      services.clock.advance(5 * HOUR_MS);
      died.push(await breaking(() => restored(media)));
      await restored(media);
      died.push(await breaking(() => run(0, [resumeRestored])));
      // The lease of a submission that was not answered ends, and sweep looks again.
      const key = rowKeys.job(media.mediaId, 2);
      const { submittingUntil } = (await jobOf(media)) ?? {};
      if (submittingUntil)
        await apply(services.table, [{ op: 'update', key, expect: {}, set: { submittingUntil: LONG_AGO } }]);
      await run(35);
      expect([at, await engineJobsOf(media)]).toEqual([at, 1]);
      expect(await jobOf(media)).toMatchObject({ engineJobId: expect.any(String) });
      expect(await rowOf(media)).toMatchObject({ state: 'retranscoding', jobCount: 2 });
      // It makes room for the next one.
      await apply(services.table, [
        { op: 'update', key, expect: {}, set: { state: 'published' }, remove: ['todo', 'todoAt'] },
      ]);
      if (!died.includes(true)) break;
    }
  }, 120_000);

  it('does not begin above the cap of re-transcodes, however many are restored at once', async () => {
    const all = await Promise.all(
      Array.from({ length: CAP + 2 }, (_, i) => archived(`many ${i}.mp4`, 'GLACIER', FLAGGED)),
    );
    await run();
    services.clock.advance(5 * HOUR_MS);
    await Promise.all(all.map(restored));
    await run();
    const begun = await Promise.all(all.map(engineJobsOf));
    expect(begun.filter((jobs) => jobs > 0)).toHaveLength(CAP);
    await run(35);
    expect((await Promise.all(all.map(engineJobsOf))).filter((jobs) => jobs > 0)).toHaveLength(CAP);
  });

  it('is restored for ten of each place at most, because restores cost before anything is encoded', async () => {
    const all = Array.from({ length: 10 * CAP + 2 }, (_, i) => archived(`frozen ${i}.mp4`, 'GLACIER', FLAGGED));
    const media = await Promise.all(all);
    await run(0, [renewMedia]);
    await run(6, [renewMedia]);
    const states = await Promise.all(media.map(async (each) => (await rowOf(each))?.error?.code));
    expect(states.filter((code) => code === 'source_restoring')).toHaveLength(10 * CAP);
  });

  it.each(['ingest', 'retranscode'] as const)('gives way to a new upload, made for %s', async (purpose) => {
    const media = await archived('again.mp4', 'DEEP_ARCHIVE', FLAGGED);
    await run();
    await apply(services.table, [{ op: 'update', key: rowKeys.job(media.mediaId, 2), expect: {}, set: { purpose } }]);
    const now = new Date().toISOString();
    const row = (await rowOf(media)) ?? expect.fail('no media item');
    const upload = { mediaId: media.mediaId, location: { creatorId: 'ann', collectionId: 'films', path: 'again.mp4' } };
    const from = source({ ...media.source, versionId: 'new', sequencer: 'FF', etag: '"new"' });
    const found = { preset: await readPreset(services.table, 'ann', 'standard'), engine: 'batch-cpu', info: {} };
    const accepted = acceptUpload(row, { ...upload, source: from, now, seenAt: now }, found, await jobOf(media));
    expect(accepted).toMatchObject({ job: { n: 3 } });
    if ('change' in accepted) await apply(services.table, accepted.change);
    expect(await jobOf(media)).toMatchObject({ state: 'cancelled' });
    expect(await rowOf(media)).not.toHaveProperty('error');
    services.clock.advance(48 * HOUR_MS);
    await restored(media);
    expect(await engineJobsOf(media)).toBe(0);
  });
});

describe('the tier of a restore', () => {
  it.each<[string, 'GLACIER' | 'DEEP_ARCHIVE', RestoreTier, RestoreTier, number]>([
    ['the policy says', 'GLACIER', 'Bulk', 'Bulk', 12],
    ['is Standard where the class has no Expedited', 'DEEP_ARCHIVE', 'Expedited', 'Standard', 12],
    ['Expedited', 'GLACIER', 'Expedited', 'Expedited', 5 / 60],
  ])('%s', async (name, storageClass, asked, tier, hours) => {
    await prefer(asked);
    const media = await archived(`${name}.mp4`, storageClass, FLAGGED);
    await run();
    expect((await rowOf(media))?.restoring).toMatchObject({ tier, from: storageClass });
    services.clock.advance(hours * HOUR_MS - 1000);
    expect((await headOf(media)).Restore).toBe('ongoing-request="true"');
    services.clock.advance(1000);
    expect((await headOf(media)).Restore).toContain('ongoing-request="false"');
  });

  it('is Standard where S3 has no capacity for Expedited', async () => {
    await prefer('Expedited');
    const media = await archived('busy.mp4', 'GLACIER', FLAGGED);
    let refused = 0;
    services.onCall = (moment, { operation }) => {
      if (operation !== 'RestoreObject' || moment !== 'before' || ++refused > 1) return;
      throw new AwsError(
        'GlacierExpeditedRetrievalNotAvailable',
        503,
        'Glacier expedited retrievals are not available.',
      );
    };
    await run();
    expect((await rowOf(media))?.restoring).toMatchObject({ tier: 'Standard' });
    expect((await headOf(media)).Restore).toBe('ongoing-request="true"');
  });
});

it('a restore that somebody else has begun is waited for', async () => {
  const media = await archived('theirs.mp4', 'GLACIER', FLAGGED);
  const { bucket: Bucket, key: Key, versionId: VersionId } = media.source;
  const begin = { Days: 1, GlacierJobParameters: { Tier: 'Standard' as const } };
  await services.s3.send(new RestoreObjectCommand({ Bucket, Key, VersionId, RestoreRequest: begin }));
  const asked = countRestores();
  await run();
  expect(asked).toHaveLength(0);
  expect((await rowOf(media))?.error?.code).toBe('source_restoring');
  services.clock.advance(5 * HOUR_MS);
  expect(await run(31)).toMatchObject({ jobsRestored: 1 });
  expect(await engineJobsOf(media)).toBe(1);
});

describe('a first encode', () => {
  const waiting = async (media: MediaRow, more: Partial<JobRow> = {}) => {
    const now = new Date().toISOString();
    const { engineJobId: _, ...row } = job({
      ...{ mediaId: media.mediaId, jobId: `${media.mediaId}-2`, n: 2, source: media.source, collectionId: 'films' },
      ...{ state: 'queued', purpose: 'ingest', createdAt: now, heartbeatAt: now, ...more },
    });
    await apply(services.table, [{ op: 'put', key: rowKeys.job(media.mediaId, 2), row }]);
    const set = { jobId: row.jobId, jobCount: 2, state: 'transcoding' as const };
    await apply(services.table, [
      { op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set, remove: ['current'] },
    ]);
    return row;
  };
  const submission = () => ({ ...services.breakable, engines: enginesOf(world), mediaBucket: MEDIA });

  it('that a person tries again waits; sweep asks for the restore, and the event begins it at once', async () => {
    const media = await archived('retry.mp4');
    const row = await waiting(media);
    expect(await submitJob(submission(), row, 'look')).toBe('held');
    expect((await headOf(media)).Restore).toBeUndefined();
    expect((await rowOf(media))?.error?.code).toBe('source_restoring');
    await run();
    expect((await headOf(media)).Restore).toBe('ongoing-request="true"');
    services.clock.advance(5 * HOUR_MS);
    await restored(media);
    expect(await engineJobsOf(media)).toBe(1);
    expect(await rowOf(media)).not.toHaveProperty('error');
  });

  it('whose upload is gone is submitted: its worker says so', async () => {
    const media = await archived('gone.mp4');
    const { bucket: Bucket, key: Key, versionId: VersionId } = media.source;
    await services.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    expect(await submitJob(submission(), await waiting(media), 'restore')).toBe('submitted');
  });

  it('that its engine may have already is not held', async () => {
    const media = await archived('tried.mp4');
    const row = await waiting(media, { submittingUntil: LONG_AGO });
    expect(await submitJob(submission(), row, 'restore')).toBe('submitted');
  });
});
