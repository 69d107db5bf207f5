import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { drop, reached, readJobs, readMedia, sweepNow, testVideo } from '../support/pipeline.ts';

/** Media flagged at once. `DROPREEL_FLAGGED=10000` for the library that the design names. */
const FLAGGED = Number(process.env.DROPREEL_FLAGGED ?? 1000);
const PAGE = 25; // of BatchWriteItem
const CAP = 8; // maxRetranscodes of cdk.json

it(`${FLAGGED} flagged media items do not delay one new upload`, async () => {
  await using booted = await testCloud();
  const { cloud } = booted;
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-priority-'));
  try {
    const file = await testVideo(join(folder, 'tiny.mp4'), { seconds: 1, size: '64x64', rate: 5 });
    const first = await drop(cloud, 'drop/ann/default/first.mp4', { file });
    const model = await reached(cloud, first, 'ready');
    const library = await flagLibrary(model);

    await sweepNow(cloud);
    const underWay = await eventually('the first re-transcodes', async () => {
      const states = await Promise.all(library.slice(0, CAP * 4).map((id) => readMedia(cloud, id)));
      const begun = states.flatMap((media) => (media?.state === 'retranscoding' ? [media.mediaId] : []));
      return begun.length > 0 && begun;
    });
    expect(underWay.length).toBeLessThanOrEqual(CAP);

    const upload = await drop(cloud, 'drop/bob/default/new.mp4', { file });
    await reached(cloud, upload, 'ready');
    const [job] = await readJobs(cloud, upload);
    const jobs = (await Promise.all(underWay.map((id) => readJobs(cloud, id)))).flat();
    const between = jobs.filter(
      ({ startedAt }) =>
        startedAt !== undefined && startedAt > (job?.createdAt ?? '') && startedAt < (job?.startedAt ?? ''),
    );
    // One slot here: what runs is not interrupted, and nothing of the library is taken before the upload.
    expect(between.length).toBeLessThanOrEqual(1);

    // One that ends makes room for the next, though nobody sweeps.
    await eventually('the start of the ninth', async () => {
      const ninth = await readMedia(cloud, library[CAP] ?? '');
      return (ninth?.jobCount ?? 0) > model.jobCount;
    });

    /** The model's row again and again, each with a media id of its own and the same object as its source. */
    async function flagLibrary(row: MediaRow): Promise<string[]> {
      const { table } = developerClients(cloud);
      const ids = await Promise.all(Array.from({ length: FLAGGED }, (_, i) => mediaIdFor('library', String(i))));
      for (let i = 0; i < ids.length; i += PAGE) {
        const puts = ids.slice(i, i + PAGE).map((mediaId, j) => {
          // In the order of their ids' list, so that it is known which come first.
          const todoAt = new Date(Date.parse(row.createdAt) - FLAGGED + i + j).toISOString();
          const flag = { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt };
          return { PutRequest: { Item: { ...row, ...flag, mediaId, ...rowKeys.media(mediaId) } } };
        });
        await table.send(new BatchWriteCommand({ RequestItems: { [cloud.outputs.Table ?? '']: puts } }));
      }
      return ids;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);
