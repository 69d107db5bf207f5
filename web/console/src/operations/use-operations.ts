import { useQuery } from '@tanstack/react-query';
import { useSession } from '../use-session.ts';

/** What people watch is asked for again at this pace, in the tab that is seen only. Each of it is a few cheap reads. */
export const LOOK_MS = 10_000;
/** What changes with each sweep, or once an encode ends. */
export const SLOW_MS = 60_000;

/** The jobs that have not ended, of everyone. */
export function useJobs() {
  const { client } = useSession();
  return useQuery({
    queryKey: ['jobs-under-way'],
    queryFn: () => client.call('listJobsUnderWay'),
    refetchInterval: LOOK_MS,
  });
}
