import { playbackCookies, signedUrl } from '../../aws/playback-cookies.ts';
import { type PlaybackKey, playbackKey, readKeyIds } from '../../aws/playback-key.ts';
import type { ReadSecret } from '../../aws/secrets.ts';
import { ApiError } from '../../core/api/problem.ts';
import { accessTo, playbackUrls, shownOf } from '../../core/api/views.ts';
import { embedUrl, signatureQuery } from '../../core/contracts/embed.ts';
import { PRIVATE_BUT_OPEN, privatePrefix } from '../../core/contracts/keys.ts';
import type { MediaRow, PublishedVersion } from '../../core/contracts/table/media.ts';
import { epochSeconds, isoOf, plus } from '../../core/time.ts';
import { logger } from '../shared/observability.ts';
import { type ApiAnswer, type ApiCall, type ApiServices, type Route, viewSettings } from './call.ts';
import { loadMedia } from './load.ts';

/** Hours that one playback session lasts: a long film and its pauses. */
const SESSION_HOURS = 12;

/** One signature for all objects of a private media item. docs/decisions/0101-private-playback.md says how it is checked. */
export const playbackSession: Route<'createPlaybackSession'> = async (call, services) => {
  const { media, current } = await playable(call, services);
  const { deliveryUrl } = viewSettings(call, services);
  const expiresAt = plus(call.now, { hours: SESSION_HOURS });
  if (accessTo(current) === 'public') {
    return { body: { resource: `${deliveryUrl}/${media.creatorId}/*`, expiresAt, cookies: {} } };
  }
  const path = `/${privatePrefix(media.creatorId, media.mediaId)}`;
  const resource = resourceOf(media, deliveryUrl);
  const cookies = playbackCookies(await keyOf(services), resource, epochSeconds(expiresAt));
  const { COOKIE_DOMAIN: domain } = services.env;
  if (!domain) return { body: { resource, expiresAt, cookies } };
  // The cookies have this path, so that the sessions of several media items do not replace each other.
  const attributes = `Domain=${domain}; Path=${path}; Max-Age=${SESSION_HOURS * 3600}; Secure; HttpOnly; SameSite=Lax`;
  return {
    body: { resource, expiresAt, cookies },
    cookies: Object.entries(cookies).map(([name, value]) => `${name}=${value}; ${attributes}`),
  };
};

/** The address of one output, for clients that can use nothing but an address; it expires where the media item is private. */
export const mediaLink: Route<'createMediaLink'> = async (call, services) => {
  const { output, hours } = call.body;
  const { media, current } = await playable(call, services);
  if (output === 'embed' && media.current) return embedLink(call, services, { media, current: media.current });
  if (output === 'embed') throw new ApiError('wrong_state', 'Its page can be framed when it is encoded.');
  const url = playbackUrls(media, current, viewSettings(call, services).deliveryUrl)[output];
  const key = current.outputs[output];
  if (!url || !key) throw new ApiError('wrong_state', `This media item has no ${output}.`);
  // Public outputs need no signature, and an expiry would protect nothing.
  if (accessTo(current) === 'public' || isOpen(key)) return { body: { url, expiresAt: null } };
  const expires = epochSeconds(call.now, { hours });
  const expiresAt = isoOf(expires * 1000);
  return { body: { url: signedUrl(await keyOf(services), url, expires), expiresAt } };
};

/** Everything of a private media item, and nothing else. */
function resourceOf({ creatorId, mediaId }: MediaRow, deliveryUrl: string): string {
  return `${deliveryUrl}/${privatePrefix(creatorId, mediaId)}*`;
}

/**
 * The address of the page. What opens a private media item is behind the number sign: browsers send that to no server, so it is in no log and
 * in no Referer header.
 */
async function embedLink(
  { body, now }: Pick<ApiCall<'createMediaLink'>, 'body' | 'now'>,
  services: ApiServices,
  { media, current }: { media: MediaRow; current: PublishedVersion },
): Promise<ApiAnswer<'createMediaLink'>> {
  const { deliveryUrl } = viewSettings({ now }, services);
  const url = embedUrl(deliveryUrl, media);
  if (accessTo(current) === 'public') return { body: { url, expiresAt: null } };
  const expires = epochSeconds(now, { hours: body.hours });
  const cookies = playbackCookies(await keyOf(services), resourceOf(media, deliveryUrl), expires);
  return { body: { url: `${url}#${signatureQuery(cookies)}`, expiresAt: isoOf(expires * 1000) } };
}

function isOpen(key: string): boolean {
  return PRIVATE_BUT_OPEN.some((pattern) => {
    const [start = '', middle = ''] = pattern.split('*');
    return key.startsWith(start) && key.includes(middle, start.length);
  });
}

async function playable(
  { caller, params }: { caller: Parameters<typeof loadMedia>[1]; params: { id: string } },
  services: ApiServices,
): Promise<{ media: MediaRow; current: Pick<PublishedVersion, 'outputs' | 'access' | 'redirects'> }> {
  const media = await loadMedia(services, caller, params.id);
  const current = shownOf(media);
  if (!current) {
    throw new ApiError('wrong_state', `A media item that is ${media.state} cannot be played.`);
  }
  return { media, current };
}

async function keyOf({ playbackKey: key }: ApiServices): Promise<PlaybackKey> {
  if (!key) throw new ApiError('unavailable', 'This deployment has no key for private playback.');
  return key();
}

/** The current signing key, looked up at each call because the secret may have changed. */
export function keyFrom(readSecret: ReadSecret, keys: string): () => Promise<PlaybackKey> {
  const ids = readKeyIds(keys);
  return async () => {
    const key = playbackKey(await readSecret(), ids);
    if (key) return key;
    logger.error('The secret of private playback has no private key that fits a public key.');
    throw new ApiError('unavailable', 'The key of private playback does not fit its public keys.');
  };
}
