import { setTimeout as delay } from 'node:timers/promises';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { activityOf } from '../../cli/progress.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { JobRow } from '../../core/contracts/table/jobs.ts';
import { type RowKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from './clients.ts';
import type { Dropped } from './drop.ts';
import type { Progress } from './progress.ts';

const POLL_MS = 250;

export interface Followed {
  media: MediaRow;
  job: JobRow | undefined;
}

/**
 * Polls the rows of one media item until it is ready or failed.
 * @throws when `signal` aborts
 */
export async function followMedia(
  cloud: Cloud,
  dropped: Dropped,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Followed> {
  const { table } = developerClients(cloud);
  const read = async (key: RowKey) =>
    (await table.send(new GetCommand({ TableName: cloud.outputs.Table, Key: key, ConsistentRead: true }))).Item;
  for (;;) {
    signal.throwIfAborted();
    const item = await read(rowKeys.media(dropped.mediaId));
    const media = item ? MediaRow.parse(item) : undefined;
    const jobItem = media?.jobId ? await read(rowKeys.job(media.mediaId, parseJobId(media.jobId).n)) : undefined;
    const job = jobItem ? JobRow.parse(jobItem) : undefined;
    if (media) report(progressOf(media, job));
    if (media && (media.state === 'ready' || media.state === 'failed')) return { media, job };
    await delay(POLL_MS, undefined, { signal });
  }
}

function progressOf(media: MediaRow, job: JobRow | undefined): Progress {
  if (media.state === 'ready') return { state: 'ready', step: 'published', percent: 100 };
  if (media.state === 'failed') return { state: 'failed', step: media.error?.code ?? '', percent: job?.progress ?? 0 };
  return { state: media.state, step: activityOf(media.state, job), percent: job?.progress ?? 0, speed: job?.speed };
}
