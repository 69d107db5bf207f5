import { z } from 'zod';
import type { Stats } from '../contracts/api.ts';
import { type MediaRow, MediaState } from '../contracts/rows.ts';

/**
 * What one media adds to its creator's counts. Counting replaces a media's old share by its new one, in one transaction
 * with the count itself, so a change that comes twice or late counts once. docs/decisions/0200-stats.md says why.
 */
export const Share = z.object({
  type: z.literal('share'),
  mediaId: z.string(),
  creatorId: z.string(),
  /** Of the newest change that was counted. */
  seq: z.number().int(),
  /** Null once the media is gone. */
  state: MediaState.nullable(),
  secondsIn: z.number(),
  secondsOut: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  expiresAt: z.number().int().optional(),
});
export type Share = z.infer<typeof Share>;

/** `media` is null when the row is gone. */
export function shareOf(
  change: { mediaId: string; creatorId: string; seq: number; to: MediaState | null },
  media: MediaRow | null,
): Share {
  const present = change.to !== null;
  const current = present ? media?.current : undefined;
  return {
    type: 'share',
    mediaId: change.mediaId,
    creatorId: change.creatorId,
    seq: change.seq,
    state: change.to,
    secondsIn: present ? (media?.sourceInfo?.durationSeconds ?? 0) : 0,
    secondsOut: current?.renditions.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0) ?? 0,
    bytesIn: present ? (media?.source.size ?? 0) : 0,
    bytesOut: current?.bytes ?? 0,
  };
}

/** The amounts by which a creator's counts change; names are those of the count row's attributes. */
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

/** `cost_{engine}_{yyyy-mm}_usd` and `…_vcpuSeconds` */
export function costNames(engine: string, finishedAt: string) {
  const prefix = `cost_${engine}_${finishedAt.slice(0, 7)}`;
  return { usd: `${prefix}_usd`, vcpuSeconds: `${prefix}_vcpuSeconds` };
}

/** Adds count rows up. Attributes that are no counts are ignored. */
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
    cost: costsOf(sums),
  };
}

function costsOf(sums: ReadonlyMap<string, number>): Stats['cost'] {
  return [...sums.keys()]
    .flatMap((name) => {
      const match = /^cost_(.+)_(\d{4}-\d{2})_usd$/.exec(name);
      if (!match?.[1] || !match[2]) return [];
      const [, engine, month] = match;
      return {
        month,
        engine,
        usd: sums.get(name) ?? 0,
        vcpuSeconds: sums.get(`cost_${engine}_${month}_vcpuSeconds`) ?? 0,
      };
    })
    .sort((a, b) => (a.month + a.engine < b.month + b.engine ? 1 : -1));
}
