import { z } from 'zod';
import { getRow } from '../../aws/table.ts';
import { positionOf, queryMedia } from '../../aws/table-queries.ts';
import { decodeCursor, encodeCursor } from '../../core/api/cursor.ts';
import { type Original, originalOf, planArchive, savedPartOf } from '../../core/archive/money.ts';
import type { CollectionArchivePolicy } from '../../core/contracts/archive.ts';
import type { ArchivePlanView } from '../../core/contracts/http/archive.ts';
import { ArchiveStatsRow } from '../../core/contracts/table/archive.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { hasVersion, whyNotArchived } from '../../core/jobs/archive.ts';
import { plus } from '../../core/time.ts';
import { PRICES } from '../shared/cost.ts';
import type { ApiServices } from './call.ts';

/** Media that one request looks at, and those of one query. */
const MOST = 1000;
const PAGE = 100;

/** The rest of the keys comes from the request. */
const Position = z.object({ pk: z.string().max(200), sk: z.string().max(200), createdAt: z.string().max(40) });

/** What the policy would do with some of a collection's media, the oldest first, from where the cursor says. */
export async function archivePlan(
  { table }: ApiServices,
  { creatorId, collectionId }: CollectionRow,
  policy: CollectionArchivePolicy,
  { cursor, now }: { cursor: string | undefined; now: string },
): Promise<ArchivePlanView> {
  const of = `${creatorId} ${collectionId}`;
  const stats = await getRow(table, rowKeys.archiveStats(creatorId, collectionId), ArchiveStatsRow);
  const savedPart = savedPartOf(stats, policy);
  const to = plus(now, { days: -policy.minAgeDays });
  const originals: Original[] = [];
  const by = { creatorId, collectionId };
  let after = cursor === undefined ? undefined : positionOf(decodeCursor(cursor, of, Position), by);
  let looked = 0;
  do {
    const page = await queryMedia(table, by, { limit: PAGE, to, after });
    originals.push(...page.items.filter(isCandidate).map(originalOf));
    after = page.next;
    looked += PAGE;
  } while (after && looked < MOST);
  const next = after ? encodeCursor(of, Position.parse(after)) : null;
  return { ...planArchive(originals, policy, PRICES, savedPart), savedPart, next };
}

function isCandidate(media: MediaRow): boolean {
  const isNew = media.archive === undefined || media.archive.state === 'due';
  return isNew && hasVersion(media.source) && whyNotArchived(media) === null;
}
