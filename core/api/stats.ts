import { z } from 'zod';
import type { Stats } from '../contracts/http/system.ts';
import { each } from '../contracts/outputs.ts';
import { actualOf, type JobRow } from '../contracts/table/jobs.ts';
import { type MediaRow, MediaState } from '../contracts/table/media.ts';
import { epochSeconds } from '../time.ts';

/**
 * What one media item adds to its creator's counts. Counting replaces the old share of a media item by the share that its row gives
 * now, in one transaction with the counts themselves, so a change that arrives twice or late counts once. The reasons are in
 * docs/decisions/0200-stats.md.
 */
export const Share = z.object({
  type: z.literal('share'),
  mediaId: z.string(),
  creatorId: z.string(),
  /** Counts how often the share was replaced: a replacement is conditional on the one that it read. Absent in rows of release 0.1. */
  rev: z.number().int().optional(),
  /** Null once the media item is gone. */
  state: MediaState.nullable(),
  secondsIn: z.number(),
  secondsOut: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  /** `seq` of the last changes to ready or failed that were counted by the hour. */
  ended: z.array(z.number().int()).default([]),
  /** Numbers of the last jobs whose cost was counted. */
  paid: z.array(z.number().int()).default([]),
  expiresAt: z.number().int().optional(),
});
export type Share = z.infer<typeof Share>;

/** The share of a deleted media item is kept for as long as an event can arrive late. */
const GONE_DAYS = 30;
/** Number of ends, and of jobs, that a share records. An older one that arrives again is considered counted. */
const REMEMBERED = 20;

/** How a job has ended for a media item. `refused`: its upload is not what the pipeline takes. */
export type End = 'ready' | 'failed' | 'refused';

/** News of one media item, from the messages of one batch. */
export interface News {
  mediaId: string;
  creatorId: string;
  /** Changes to ready or failed. */
  ends: { seq: number; at: string; how: End }[];
  /** Jobs whose cost is known. */
  jobs: JobRow[];
  /** Time of the last message, ISO 8601. */
  at: string;
}

/** Amounts to add: to the creator's count row, and to the rows of hours (`2026-11-21T14`). */
export interface Counted {
  share: Share;
  amounts: Record<string, number>;
  hours: Record<string, Record<End, number>>;
  /** The jobs among the news whose cost is counted now. */
  paid: JobRow[];
}

/**
 * The changes that the news of a media item cause. Null when all of it was counted before.
 * @param media as it is now, null when it is gone; it must be read after `before`
 */
export function countMedia(before: Share | null, media: MediaRow | null, news: News): Counted | null {
  const ends = unseen(before?.ended, news.ends, ({ seq }) => seq);
  const jobs = unseen(before?.paid, news.jobs, ({ n }) => n);
  const share: Share = {
    ...shareOf(media, news),
    rev: (before?.rev ?? 0) + 1,
    ended: ends.remembered,
    paid: jobs.remembered,
    ...(!media && { expiresAt: epochSeconds(news.at, { days: GONE_DAYS }) }),
  };
  const amounts = difference(before, share);
  if (before && Object.keys(amounts).length + ends.fresh.length + jobs.fresh.length === 0) return null;
  for (const job of jobs.fresh) {
    for (const [name, amount] of Object.entries(amountsOf(job))) amounts[name] = (amounts[name] ?? 0) + amount;
  }
  const hours: Counted['hours'] = {};
  for (const { at, how } of ends.fresh) {
    const hour = at.slice(0, 13);
    hours[hour] ??= { ready: 0, failed: 0, refused: 0 };
    hours[hour][how] += 1;
  }
  return { share, amounts, hours, paid: jobs.fresh };
}

/** Those that are not among the recorded numbers, each once, and the numbers to record from now on: the greatest. */
function unseen<Item>(seen: readonly number[] = [], items: readonly Item[], numberOf: (item: Item) => number) {
  const known = new Set(seen);
  const forgotten = seen.length < REMEMBERED ? -1 : Math.min(...seen);
  const fresh = items.filter((item) => {
    const number = numberOf(item);
    if (known.has(number) || number < forgotten) return false;
    known.add(number);
    return true;
  });
  return { fresh, remembered: [...known].sort((a, b) => b - a).slice(0, REMEMBERED) };
}

function shareOf(media: MediaRow | null, { mediaId, creatorId }: Pick<News, 'mediaId' | 'creatorId'>) {
  return {
    type: 'share' as const,
    mediaId,
    creatorId,
    state: media?.state ?? null,
    secondsIn: media?.sourceInfo?.durationSeconds ?? 0,
    secondsOut: media?.current?.renditions.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0) ?? 0,
    bytesIn: media?.source.size ?? 0,
    bytesOut: media?.current?.bytes ?? 0,
  };
}

/** The amounts by which a creator's counts change; names are the attributes of the count row. */
export function difference(before: Share | null, after: Share): Record<string, number> {
  const amounts: Record<string, number> = {};
  const add = (name: string, amount: number) => {
    if (amount !== 0) amounts[name] = (amounts[name] ?? 0) + amount;
  };
  if (before?.state) add(`state_${before.state}`, -1);
  if (after.state) add(`state_${after.state}`, 1);
  for (const name of ['secondsIn', 'secondsOut', 'bytesIn', 'bytesOut'] as const) {
    add(name, after[name] - (before?.[name] ?? 0));
  }
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0));
}

/**
 * What a job whose cost is known adds: `cost_{engine}_{yyyy-mm}_usd` and `…_vcpuSeconds`; and, if it is published and had an estimate,
 * `estimate_{engine}_{yyyy-mm}_jobs`, `…_expectedSeconds`, `…_seconds`, `…_expectedUsd` and `…_usd`.
 */
function amountsOf(job: JobRow): Record<string, number> {
  const { engine, cost, estimate, finishedAt, createdAt } = job;
  const named = (kind: string, amounts: Record<string, number>) =>
    Object.entries(amounts).map(([name, amount]) => [
      `${kind}_${engine}_${(finishedAt ?? createdAt).slice(0, 7)}_${name}`,
      amount,
    ]);
  const actual = actualOf(job);
  return Object.fromEntries([
    ...(cost ? named('cost', cost) : []),
    ...(actual && estimate
      ? named('estimate', {
          ...{ jobs: 1, expectedSeconds: estimate.seconds, seconds: actual.seconds },
          ...{ expectedUsd: estimate.usd, usd: actual.usd },
        })
      : []),
  ]);
}

/** Adds count rows up. Attributes that are not counts are ignored. */
export function statsFrom(rows: readonly Record<string, unknown>[], creatorId?: string): Stats {
  const sums = new Map<string, number>();
  for (const row of rows) {
    for (const [name, amount] of Object.entries(row)) {
      if (typeof amount === 'number') sums.set(name, (sums.get(name) ?? 0) + amount);
    }
  }
  const sum = (name: string) => sums.get(name) ?? 0;
  return {
    ...(creatorId && { creatorId }),
    media: Object.fromEntries(MediaState.options.map((state) => [state, Math.max(0, sum(`state_${state}`))])),
    minutesIn: sum('secondsIn') / 60,
    minutesOut: sum('secondsOut') / 60,
    bytesIn: sum('bytesIn'),
    bytesOut: sum('bytesOut'),
    bytesSavedByArchive: sum('bytesSavedByArchive'),
    cost: byEngine(sums, 'cost', ['usd', 'vcpuSeconds']),
    estimates: byEngine(sums, 'estimate', ['jobs', 'expectedSeconds', 'seconds', 'expectedUsd', 'usd']),
  };
}

/** The newest month first. */
function byEngine<Name extends string>(
  sums: ReadonlyMap<string, number>,
  kind: 'cost' | 'estimate',
  names: readonly Name[],
) {
  return [...sums.keys()]
    .flatMap((key) => {
      const [, of, engine, month] = /^(cost|estimate)_(.+)_(\d{4}-\d{2})_usd$/.exec(key) ?? [];
      if (of !== kind || !engine || !month) return [];
      return [{ month, engine, ...each(names, (name) => sums.get(`${kind}_${engine}_${month}_${name}`) ?? 0) }];
    })
    .sort((a, b) => (a.month + a.engine < b.month + b.engine ? 1 : -1));
}
