import type { Answer } from '../../../../client/request.ts';

export type Media = Answer<'getMedia'>;

/** How a state is called, and how it is coloured. */
const STATES: Readonly<Record<Media['state'], readonly [name: string, tone: string]>> = {
  uploading: ['Uploading', 'busy'],
  uploaded: ['Waiting', 'busy'],
  transcoding: ['Encoding', 'busy'],
  ready: ['Ready', 'good'],
  retranscoding: ['Ready, encoding again', 'busy'],
  failed: ['Failed', 'bad'],
  deleting: ['Being deleted', 'quiet'],
};

export const STATE_NAMES = Object.entries(STATES).map(([state, [name]]) => [state, name] as const);

export function isUnderWay({ state, scheduleRetranscode }: Media): boolean {
  return STATES[state][1] === 'busy' || state === 'deleting' || scheduleRetranscode;
}

export function StateBadge({ media }: { media: Media }) {
  const [name, tone] = STATES[media.state];
  const held = media.state === 'uploaded' && media.error ? ': held' : '';
  const plays = media.state === 'transcoding' && media.playable ? ', plays already' : '';
  return <span className={`badge ${tone}`}>{`${name}${held}${plays}`}</span>;
}
