import { type InfiniteData, keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Answer } from '../../../../client/request.ts';
import { isUnderWay, type Media } from '../parts/state-badge.tsx';
import { useSession } from '../use-session.ts';

type Page = Answer<'listMedia'>;

export interface Filters {
  q?: string | undefined;
  state?: Media['state'] | undefined;
  collectionId?: string | undefined;
}

const PAGE = 48;
/** While something shown is under way, and while nothing is. A hidden tab asks nothing. */
const BUSY_MS = 3_000;
const IDLE_MS = 30_000;

/**
 * The media that fit, page by page, newest first. One request at a time looks for changes, whatever is shown: the first page, which has what is
 * new, and what is under way is nearly always on it.
 */
export function useLibrary(filters: Filters) {
  const { client } = useSession();
  const queries = useQueryClient();
  const key = ['media', filters];
  const read = (cursor?: string) => client.call('listMedia', { query: { ...filters, limit: PAGE, cursor } });
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    // What was found before stays until the answer is there, so that nothing jumps while somebody types.
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    refetchOnMount: false,
  });
  const media = [...new Map(pages.data?.pages.flatMap(({ items }) => items).map((item) => [item.id, item])).values()];
  const busy = media.some(isUnderWay);
  const { data: newest } = useQuery({
    queryKey: ['newest', filters],
    queryFn: () => read(),
    enabled: pages.isSuccess,
    refetchInterval: busy ? BUSY_MS : IDLE_MS,
  });
  const name = JSON.stringify(key);
  useEffect(() => {
    if (!newest) return;
    queries.setQueryData<InfiniteData<Page, string | undefined>>(
      JSON.parse(name),
      (known) => known && merged(known, newest),
    );
  }, [newest, name, queries]);
  return { ...pages, media, reload: () => queries.invalidateQueries({ queryKey: ['newest'] }) };
}

/** The known pages with the first one anew. What has left it because others came before it goes to the front of the second. */
function merged(known: InfiniteData<Page, string | undefined>, newest: Page): InfiniteData<Page, string | undefined> {
  const [first, ...others] = known.pages;
  if (!first) return known;
  if (others.length === 0) return { ...known, pages: [newest] };
  const ids = new Set(newest.items.map(({ id }) => id));
  const oldest = newest.items.at(-1)?.createdAt ?? '';
  const moved = first.items.filter(({ id, createdAt }) => !ids.has(id) && createdAt <= oldest);
  return { ...known, pages: [{ items: [...newest.items, ...moved], next: first.next }, ...others] };
}
