import { useQuery } from '@tanstack/react-query';
import { itemsOf } from '../../../client/pages.ts';
import type { Answer } from '../../../client/request.ts';
import { useSession } from './use-session.ts';

export type Collection = Answer<'getCollection'>;

/** More than a list for people can hold. */
const MOST = 500;
const FRESH_MS = 60_000;

/** One's own collections, the first 500. */
export function useCollections(): readonly Collection[] {
  const { client } = useSession();
  const { data } = useQuery({
    queryKey: ['collections'],
    staleTime: FRESH_MS,
    queryFn: async () => {
      const found: Collection[] = [];
      for await (const collection of itemsOf(client, 'listCollections')) {
        found.push(collection);
        if (found.length === MOST) break;
      }
      return found;
    },
  });
  return data ?? [];
}
