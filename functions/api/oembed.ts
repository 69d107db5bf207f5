import { getCollection, getMedia } from '../../aws/table.ts';
import { ApiError } from '../../core/api/problem.ts';
import { accessTo, playbackUrls } from '../../core/api/views.ts';
import { embedCode, embedUrl, framers, frameSize, parseEmbedUrl } from '../../core/contracts/embed.ts';
import { PLAYABLE_STATES } from '../../core/contracts/table/media.ts';
import { POSTER_WIDTH } from '../../core/media/plan-outputs.ts';
import { withWidthAtMost } from '../../core/media/size.ts';
import { type Route, viewSettings } from './call.ts';

/** Sites ask again after that. */
const CACHED = { 'Cache-Control': 'public, max-age=300' };

/** What a site needs to show a media item, by the address of its page: https://oembed.com. */
export const oembed: Route<'getOembed'> = async (call, services) => {
  const { url, maxwidth: maxWidth, maxheight: maxHeight, format = 'json' } = call.query;
  if (format !== 'json') throw new ApiError('not_implemented', 'Ask for format=json.');
  const { deliveryUrl } = viewSettings(call, services);
  const named = parseEmbedUrl(url, deliveryUrl);
  const media = named && (await getMedia(services.table, named.mediaId));
  const current = media && PLAYABLE_STATES.includes(media.state) ? media.current : undefined;
  if (!media || media.creatorId !== named.creatorId || !current) {
    throw new ApiError('not_found', 'There is nothing that plays at this address.');
  }
  const collection = await getCollection(services.table, media.creatorId, media.collectionId);
  const access = accessTo(current);
  if (access === 'private' || framers(access, collection?.embedOrigins).length === 0) {
    throw new ApiError('unauthenticated', 'It is private, or no site may frame it.');
  }
  const { title, kind } = media;
  const size = frameSize(kind, current.renditions, { maxWidth, maxHeight });
  const { poster } = playbackUrls(media, current, deliveryUrl);
  const { width = 0, height = 0 } = current.renditions.at(-1) ?? {};
  const picture = width && height ? withWidthAtMost({ width, height }, POSTER_WIDTH) : undefined;
  const fits = picture && picture.width <= (maxWidth ?? width) && picture.height <= (maxHeight ?? height);
  return {
    body: {
      version: '1.0',
      type: kind === 'audio' ? 'rich' : 'video',
      title,
      provider_name: 'dropreel',
      html: embedCode({ url: embedUrl(deliveryUrl, media), title, ...size }),
      ...size,
      ...(poster &&
        fits && { thumbnail_url: poster, thumbnail_width: picture.width, thumbnail_height: picture.height }),
    },
    headers: CACHED,
  };
};
