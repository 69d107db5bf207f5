import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../../../client/request.ts';
import { useSession } from './use-session.ts';

export type Preset = Answer<'listPresets'>['items'][number];

/** The built-in presets, and one's own. */
export function usePresets(): readonly Preset[] {
  const { client } = useSession();
  const { data } = useQuery({ queryKey: ['presets'], queryFn: () => client.call('listPresets') });
  return data?.items ?? [];
}
