import 'media-chrome';
import 'media-chrome/menu';
import 'hls-video-element';
import type { HlsConfig } from 'hls.js';
import { useEffect, useRef, useState } from 'react';
import { Notice } from '../parts/notice.tsx';
import type { Media } from '../parts/state-badge.tsx';
import { useSession } from '../use-session.ts';
import { Waveform } from './waveform.tsx';

type HlsElement = HTMLVideoElement & { config: Partial<HlsConfig> };

/** CloudFront's names of a signature: in a cookie, and in a query. */
const SIGNATURE = {
  'CloudFront-Policy': 'Policy',
  'CloudFront-Signature': 'Signature',
  'CloudFront-Key-Pair-Id': 'Key-Pair-Id',
};

/**
 * What is added to each address of a private media item; empty for a public one, null until it is known. By query, because the cookies of a
 * session are for pages of the deployment's cookie domain. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html
 */
function useSignature({ id, access }: Media) {
  const { client } = useSession();
  const [signature, setSignature] = useState(access === 'private' ? null : '');
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (access !== 'private') return;
    client
      .call('createPlaybackSession', { id })
      .then(({ cookies }) => {
        const pairs = Object.entries(SIGNATURE).map(([cookie, name]) => [name, cookies[cookie] ?? '']);
        setSignature(String(new URLSearchParams(pairs)));
      })
      .catch(setError);
  }, [client, id, access]);
  return { signature, error };
}

export default function Player({ media }: { media: Media }) {
  const { signature, error } = useSignature(media);
  const video = useRef<HTMLVideoElement>(null);
  const [broken, setBroken] = useState(false);
  const { playback, kind, title } = media;
  const isAudio = kind === 'audio';
  const hls = playback?.hls;
  useEffect(() => {
    const element = video.current as HlsElement | null;
    if (!element || signature === null || hls === undefined) return;
    if (signature) {
      element.config = {
        xhrSetup: (request, url) => request.open('GET', `${url}${url.includes('?') ? '&' : '?'}${signature}`, true),
      };
    }
    element.src = hls;
    const fail = () => setBroken(true);
    element.addEventListener('error', fail);
    return () => element.removeEventListener('error', fail);
  }, [signature, hls]);
  return (
    <>
      {error !== null && <Notice error={error} />}
      {broken && <Notice error={new Error('It cannot be played: part of the stream cannot be read.')} />}
      <media-controller audio={isAudio || undefined} aria-label={`Player: ${title}`}>
        <hls-video
          ref={video}
          slot="media"
          playsinline
          crossorigin
          poster={isAudio ? undefined : (playback?.posterLarge ?? playback?.thumbnail)}
        />
        {!isAudio && <media-loading-indicator slot="centered-chrome" noautohide />}
        <media-settings-menu hidden anchor="auto">
          <media-settings-menu-item>
            Speed
            <media-playback-rate-menu slot="submenu" hidden>
              <div slot="title">Speed</div>
            </media-playback-rate-menu>
          </media-settings-menu-item>
          <media-settings-menu-item>
            Quality
            <media-rendition-menu slot="submenu" hidden>
              <div slot="title">Quality</div>
            </media-rendition-menu>
          </media-settings-menu-item>
          <media-settings-menu-item>
            Captions
            <media-captions-menu slot="submenu" hidden>
              <div slot="title">Captions</div>
            </media-captions-menu>
          </media-settings-menu-item>
        </media-settings-menu>
        <media-control-bar>
          <media-play-button />
          <media-mute-button />
          <media-volume-range />
          <media-time-range />
          <media-time-display showduration notoggle />
          <media-settings-menu-button />
          {!isAudio && <media-pip-button />}
          {!isAudio && <media-fullscreen-button />}
        </media-control-bar>
      </media-controller>
      {isAudio && playback?.waveform && (
        <Waveform url={`${playback.waveform}${signature ? `?${signature}` : ''}`} player={video} />
      )}
    </>
  );
}
