import type { MediaPlaylist, Named } from './media-playlist.ts';
import type { PlacedSegment } from './sidx.ts';
import { presentedSeconds, type Timeline } from './timeline.ts';

/** A rendition of pictures, as it is published. */
interface PlayedPictures extends Timeline {
  init: Required<Named>;
  segments: readonly PlacedSegment[];
}

/** `1080p-iframes.m3u8`: the playlist of a rung's keyframes. */
export function keyframesName(file: string): string {
  return `${file}-iframes.m3u8`;
}

/**
 * The keyframes of a rung, for scrubbing: RFC 8216, section 4.3.3.6. Each is the beginning of its fragment, from the moof (Apple's HLS
 * authoring specification, 6.10) to the end of its first picture, and is shown until the next.
 */
export function keyframePlaylist(rendition: PlayedPictures, lastFrameSeconds: number | undefined): MediaPlaylist {
  const { header, init, segments } = rendition;
  const keyframes = segments
    .flatMap(({ fragments }) => fragments)
    .filter(({ fragment }) => fragment.startsWithKeyframe)
    .map(({ offset, fragment }) => ({
      range: { offset, bytes: fragment.firstBytes },
      start: Math.max(0, fragment.firstStart - header.skip) / header.timescale,
    }));
  const end = presentedSeconds(rendition, lastFrameSeconds);
  return {
    init,
    segments: keyframes.map(({ range, start }, i) => ({
      ...{ uri: init.uri, range },
      durationSeconds: (keyframes[i + 1]?.start ?? end) - start,
    })),
  };
}
