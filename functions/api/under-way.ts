import { getRows, queryTodo, type TodoItem } from '../../aws/table-queries.ts';
import { OVERDUE_MS } from '../../core/api/health.ts';
import { jobView } from '../../core/api/views.ts';
import type { JobUnderWay } from '../../core/contracts/http/system.ts';
import { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import { plus } from '../../core/time.ts';
import type { Route } from './call.ts';
import { workerLog } from './worker-log.ts';

/** Of each kind of work. */
const MOST = 100;

const KINDS: readonly (readonly [todo: string, held?: NonNullable<JobUnderWay['waits']>])[] = [
  [DUE_WORK.job],
  [DUE_WORK.retranscodeJob],
  [DUE_WORK.heldJob, 'cap'],
  [DUE_WORK.restoringJob, 'restore'],
];

/** Cheap at any size: a page of the sparse index for each kind of work, and the rows that it names. */
export const listJobsUnderWay: Route<'listJobsUnderWay'> = async ({ caller, now }, services) => {
  const { table } = services;
  const until = plus(now, { days: 400 });
  const pages = await Promise.all(KINDS.map(([todo]) => queryTodo(table, todo, { until, limit: MOST })));
  const due = new Map<string, TodoItem>();
  for (const item of pages.flatMap(({ items }) => items)) due.set(`${item.pk} ${item.sk}`, item);
  const jobs = await getRows(table, [...due.values()], JobRow);
  const mediaKeys = [...new Set(jobs.map(({ mediaId }) => mediaId))].map(rowKeys.media);
  const media = new Map((await getRows(table, mediaKeys, MediaRow)).map((row) => [row.mediaId, row]));
  const log = workerLog(caller, services);
  const overdue = plus(now, { ms: -OVERDUE_MS });
  const items = jobs.flatMap((job): JobUnderWay[] => {
    const { mediaId, creatorId, collectionId, heartbeatAt, todoAt, state } = job;
    const kind = KINDS.find(([todo]) => todo === job.todo);
    // The index lags: it has ended, or its media item is gone.
    const of = media.get(mediaId);
    if (!kind || !of) return [];
    const held = kind[1];
    const waits = held ?? (state === 'queued' ? 'engine' : undefined);
    const stuck = held === undefined && todoAt !== undefined && todoAt <= overdue;
    // What holds a job is said on its media item.
    const error = job.error ?? (held === undefined ? undefined : of.error);
    return [
      {
        ...jobView(job, log),
        ...{ mediaId, creatorId, collectionId, title: of.title, heartbeatAt, stuck },
        ...(waits && { waits }),
        ...(error && { error }),
      },
    ];
  });
  items.sort((a, b) => Number(b.stuck) - Number(a.stuck) || (a.heartbeatAt < b.heartbeatAt ? -1 : 1));
  return { body: { items, more: pages.some(({ next }) => next !== undefined) } };
};
