import type { ArchiveReason, ArchiveRecord } from '../contracts/archive.ts';
import { savedPercent } from './compare.ts';

export interface ArchiveStats {
  archived: number;
  originalBytes: number;
  archivedBytes: number;
  savedPercent: number;
  /** ISO 8601; absent where nothing was archived. */
  last?: string;
  /** Recordings that keep their original, by the first reason. */
  refused: Partial<Record<ArchiveReason, number>>;
  /** Bytes of originals that are still there. */
  keptBytes: number;
}

/** Sums up what is recorded of a library. */
export function statsOf(records: Iterable<ArchiveRecord>): ArchiveStats {
  const stats: ArchiveStats = {
    ...{ archived: 0, originalBytes: 0, archivedBytes: 0, savedPercent: 0, refused: {}, keptBytes: 0 },
  };
  for (const record of records) {
    if (record.state === 'refused') {
      const reason = record.refusals[0]?.reason ?? 'not_readable';
      stats.refused[reason] = (stats.refused[reason] ?? 0) + 1;
    } else if (record.state === 'archived' || record.state === 'purged') {
      stats.archived += 1;
      stats.originalBytes += record.original.bytes;
      stats.archivedBytes += record.archived.bytes;
      if (record.state === 'archived') stats.keptBytes += record.original.bytes;
      if (stats.last === undefined || record.at > stats.last) stats.last = record.at;
    }
  }
  return { ...stats, savedPercent: savedPercent(stats.originalBytes, stats.archivedBytes) };
}
