import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { getCollection, getMedia, type Table } from '../../aws/table.ts';
import { accessTo, playbackUrls } from '../../core/api/views.ts';
import { embedUrl, escapeHtml, framers } from '../../core/contracts/embed.ts';
import type { ServePagesEnv } from '../../core/contracts/env.ts';
import { CreatorId, MediaId } from '../../core/contracts/ids.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import { type MediaRow, PLAYABLE_STATES, type PublishedVersion } from '../../core/contracts/table/media.ts';
import { answerPage } from './answers.ts';
import { embedPolicy } from './policy.ts';

/** Places in web/console/embed.html. */
const TITLE = '<title>Player</title>';
const PLAYER = '<div id="player"></div>';

type Env = Pick<ServePagesEnv, 'API_URL' | 'DELIVERY_URL'>;

/** The page of one media item. @param named from an address, untrusted */
export async function embed(
  table: Table,
  named: { creatorId: string | undefined; mediaId: string },
  template: string,
  env: Env,
): Promise<APIGatewayProxyStructuredResultV2> {
  const isId = CreatorId.safeParse(named.creatorId).success && MediaId.safeParse(named.mediaId).success;
  const found = isId ? await getMedia(table, named.mediaId) : null;
  const media = found?.creatorId === named.creatorId ? found : null;
  const collection = media && (await getCollection(table, media.creatorId, media.collectionId));
  return embedPage(media, collection, template, env);
}

/** The page of a media item that is there, or of none. */
export function embedPage(
  media: MediaRow | null,
  collection: Pick<CollectionRow, 'embedOrigins'> | null,
  template: string,
  env: Env,
): APIGatewayProxyStructuredResultV2 {
  const current = media && PLAYABLE_STATES.includes(media.state) ? media.current : undefined;
  // Any site may show that.
  if (!media || !current) return answerPage(404, filled(template, 'Player', '', {}), embedPolicy(['*']));
  const access = accessTo(current);
  // The address of a private media item says whose it is, and no more.
  const title = access === 'public' ? media.title : 'Private video';
  const page = filled(template, title, access === 'public' ? discovery(media, env) : '', playerData(media, current));
  return answerPage(200, page, embedPolicy(framers(access, collection?.embedOrigins)));
}

/** What web/console/src/embed.ts reads. Addresses are those of the page's own server. */
function playerData(media: MediaRow, current: PublishedVersion): Record<string, string | undefined> {
  const { hls, posterLarge, thumbnail, waveform } = playbackUrls(media, current, '');
  return { hls, poster: posterLarge ?? thumbnail, waveform, kind: media.kind, access: accessTo(current) };
}

/** https://oembed.com, section 4 */
function discovery(media: MediaRow, { API_URL, DELIVERY_URL }: Env): string {
  const url = embedUrl(DELIVERY_URL.replace(/\/$/, ''), media);
  const href = `${API_URL.replace(/\/$/, '')}/oembed?${new URLSearchParams({ url, format: 'json' })}`;
  return `<link rel="alternate" type="application/json+oembed" href="${escapeHtml(href)}" title="${escapeHtml(media.title)}">`;
}

function filled(
  template: string,
  title: string,
  head: string,
  data: Readonly<Record<string, string | undefined>>,
): string {
  const attributes = Object.entries({ ...data, title }).map(([name, value]) =>
    value === undefined ? '' : ` data-${name}="${escapeHtml(value)}"`,
  );
  return template
    .replace(TITLE, () => `<title>${escapeHtml(title)}</title>${head}`)
    .replace(PLAYER, () => `<div id="player"${attributes.join('')}></div>`);
}
