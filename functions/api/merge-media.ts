import type { Table } from '../../aws/table.ts';
import { getRows, type MediaKey, positionOf, queryMediaKeys } from '../../aws/table-queries.ts';
import { isFound } from '../../core/api/search.ts';
import type { ListMediaQuery } from '../../core/contracts/http/media.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import { isoOf } from '../../core/time.ts';

/** The last entry of a page, and its creator. */
export interface MergedPosition {
  creatorId: string;
  at: MediaKey;
}

type Filters = Pick<ListMediaQuery, 'collectionId' | 'state' | 'q' | 'from' | 'to' | 'limit'>;

/** Entries per read of one creator's index, which has keys only: 100 of them are 10 KB. */
const READ_SIZE = 100;
/** Queries at once. */
const AT_ONCE = 16;
/** Rows looked at per page: a rare state is spread over several short pages, each with a position. */
const MAX_ROWS = 1000;

/**
 * Media of several creators, newest first; those of one millisecond by creator. Only the rows of the page are read, and of each creator
 * one page of the index.
 */
export async function mergedPage(
  table: Table,
  creators: readonly string[],
  filters: Filters,
  after: MergedPosition | undefined,
): Promise<{ items: MediaRow[]; next: MergedPosition | null }> {
  const lists = creators.map((creatorId) => new CreatorList(table, creatorId, filters, after));
  for (let i = 0; i < lists.length; i += AT_ONCE) {
    await Promise.all(lists.slice(i, i + AT_ONCE).map((list) => list.fill()));
  }
  const items: MediaRow[] = [];
  for (let looked = 0; looked < MAX_ROWS; ) {
    const entries = await take(lists, READ_SIZE);
    if (entries.length === 0) return { items, next: null };
    looked += entries.length;
    const keys = entries.map(({ at }) => at);
    const rows = new Map((await getRows(table, keys, MediaRow)).map((row) => [rowKeys.media(row.mediaId).pk, row]));
    for (const entry of entries) {
      after = entry;
      const row = rows.get(entry.at.pk);
      if (row?.creatorId !== entry.creatorId || !fits(row, filters)) continue;
      items.push(row);
      if (items.length === filters.limit) return { items, next: entry };
    }
  }
  return { items, next: after ?? null };
}

/** The index lags the table slightly: the row may have moved since. */
function fits(row: MediaRow, { collectionId, state, q }: Filters): boolean {
  return (
    (collectionId === undefined || row.collectionId === collectionId) &&
    (state === undefined || row.state === state) &&
    (q === undefined || isFound(row, q))
  );
}

async function take(lists: readonly CreatorList[], count: number): Promise<MergedPosition[]> {
  const taken: MergedPosition[] = [];
  while (taken.length < count) {
    // Of equal times the first creator comes first: the positions of the other creators follow from one position.
    let newest: CreatorList | undefined;
    for (const list of lists) if (list.time > (newest?.time ?? '')) newest = list;
    if (!newest) break;
    taken.push({ creatorId: newest.creatorId, at: newest.shift() });
    await newest.fill();
  }
  return taken;
}

/** The entries of one creator's index behind a position. */
class CreatorList {
  readonly creatorId: string;
  readonly #table: Table;
  readonly #filters: Filters;
  readonly #to: string | undefined;
  #entries: MediaKey[] = [];
  #after: Record<string, unknown> | undefined;
  #ended = false;

  constructor(table: Table, creatorId: string, filters: Filters, position: MergedPosition | undefined) {
    this.#table = table;
    this.creatorId = creatorId;
    this.#filters = filters;
    this.#to = filters.to;
    if (!position) return;
    const { createdAt } = position.at;
    if (creatorId === position.creatorId) this.#after = positionOf(position.at, this.#by);
    else this.#to = creatorId > position.creatorId ? createdAt : isoOf(Date.parse(createdAt) - 1);
    this.#ended = filters.from !== undefined && this.#to !== undefined && filters.from > this.#to;
  }

  /** Time of the next entry; empty at the end. */
  get time(): string {
    return this.#entries[0]?.createdAt ?? '';
  }

  /** Reads on when no entry is left. */
  async fill(): Promise<void> {
    while (this.#entries.length === 0 && !this.#ended) {
      const { from } = this.#filters;
      const range = { limit: READ_SIZE, newestFirst: true, from, to: this.#to, after: this.#after };
      const page = await queryMediaKeys(this.#table, this.#by, range);
      this.#entries = page.items;
      this.#after = page.next;
      this.#ended = page.next === undefined;
    }
  }

  shift(): MediaKey {
    const entry = this.#entries.shift();
    if (!entry) throw new Error(`nothing is left of ${this.creatorId}`);
    return entry;
  }

  get #by() {
    return { creatorId: this.creatorId, collectionId: this.#filters.collectionId };
  }
}
