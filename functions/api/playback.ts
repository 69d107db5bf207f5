import { ApiError } from '../../core/api/problem.ts';
import { PLAYABLE_STATES } from '../../core/contracts/rows.ts';
import { type Route, viewSettings } from './call.ts';
import { accessTo, loadMedia } from './load.ts';

/** Hours that one playback session lasts: a long film and its pauses. */
const SESSION_HOURS = 12;

export const playbackSession: Route<'createPlaybackSession'> = async (call, services) => {
  const { caller, params, now } = call;
  const media = await loadMedia(services, caller, params.id);
  if (!PLAYABLE_STATES.includes(media.state) || !media.current) {
    throw new ApiError('wrong_state', `A media that is ${media.state} cannot be played.`);
  }
  const { deliveryUrl } = viewSettings(call, services);
  const resource = `${deliveryUrl}/${media.creatorId}/*/${media.mediaId}/*`;
  const expiresAt = new Date(Date.parse(now) + SESSION_HOURS * 3_600_000).toISOString();
  const access = await accessTo(services, media);
  if (access === 'public') return { body: { resource, expiresAt, cookies: {} } };
  throw new ApiError('unavailable', 'This deployment has no key for private playback.');
};
