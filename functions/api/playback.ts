import { playbackCookies } from '../../aws/playback-cookies.ts';
import { ApiError } from '../../core/api/problem.ts';
import { accessTo } from '../../core/api/views.ts';
import { PRIVATE_PREFIX } from '../../core/contracts/keys.ts';
import { PLAYABLE_STATES } from '../../core/contracts/rows.ts';
import { type Route, viewSettings } from './call.ts';
import { loadMedia } from './load.ts';

/** Hours that one playback session lasts: a long film and its pauses. */
const SESSION_HOURS = 12;

/** One signature for all of a private media. docs/decisions/0101-private-playback.md says how it is checked. */
export const playbackSession: Route<'createPlaybackSession'> = async (call, services) => {
  const { caller, params, now } = call;
  const { PLAYBACK_KEY_PAIR_ID: keyPairId, PLAYBACK_PRIVATE_KEY: privateKey } = services.env;
  const media = await loadMedia(services, caller, params.id);
  if (!PLAYABLE_STATES.includes(media.state) || !media.current) {
    throw new ApiError('wrong_state', `A media that is ${media.state} cannot be played.`);
  }
  const { deliveryUrl } = viewSettings(call, services);
  const expiresAt = new Date(Date.parse(now) + SESSION_HOURS * 3_600_000).toISOString();
  if (accessTo(media.current) === 'public') {
    return { body: { resource: `${deliveryUrl}/${media.creatorId}/*/${media.mediaId}*`, expiresAt, cookies: {} } };
  }
  const resource = `${deliveryUrl}/${PRIVATE_PREFIX}${media.creatorId}/*/${media.mediaId}*`;
  if (!keyPairId || !privateKey) throw new ApiError('unavailable', 'This deployment has no key for private playback.');
  const cookies = playbackCookies({ keyPairId, privateKey }, resource, Date.parse(expiresAt) / 1000);
  const maxAge = SESSION_HOURS * 3600;
  return {
    body: { resource, expiresAt, cookies },
    cookies: Object.entries(cookies).map(
      ([name, value]) => `${name}=${value}; Path=/; Max-Age=${maxAge}; Secure; HttpOnly`,
    ),
  };
};
