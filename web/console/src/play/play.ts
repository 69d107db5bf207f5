import 'media-chrome';
import 'media-chrome/menu';
import type { HlsConfig } from 'hls.js';
import { Hls } from 'hls-video-element';
import { drawWaveform } from '../../../player/waveform.ts';

/** What is played, in the console and in the page that other sites frame. */
export interface Playable {
  title: string;
  isAudio: boolean;
  hls: string;
  poster: string | undefined;
  waveform: string | undefined;
  /**
   * What is added to each address of a private media item; empty for a public one. By query, because the cookies of a session are for pages of
   * the deployment's cookie domain.
   * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html
   */
  signature: string;
}

type HlsElement = HTMLVideoElement & { config: Partial<HlsConfig>; api: Hls | null };

const MENUS = [
  ['playback-rate', 'Speed'],
  ['rendition', 'Quality'],
  ['captions', 'Captions'],
].map(
  ([menu, name]) => `<media-settings-menu-item>${name}
    <media-${menu}-menu slot="submenu" hidden><div slot="title">${name}</div></media-${menu}-menu>
  </media-settings-menu-item>`,
);

const controls = (isAudio: boolean) => `<media-controller${isAudio ? ' audio' : ''}>
  <hls-video slot="media" playsinline crossorigin></hls-video>
  ${isAudio ? '' : '<media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>'}
  <media-settings-menu hidden anchor="auto">${MENUS.join('')}</media-settings-menu>
  <media-control-bar>
    <media-play-button></media-play-button>
    <media-mute-button></media-mute-button>
    <media-volume-range></media-volume-range>
    <media-time-range></media-time-range>
    <media-time-display showduration notoggle></media-time-display>
    <media-settings-menu-button></media-settings-menu-button>
    ${isAudio ? '' : '<media-pip-button></media-pip-button><media-fullscreen-button></media-fullscreen-button>'}
  </media-control-bar>
</media-controller>`;

/**
 * Puts a player in place of what `stage` holds.
 * @param onBroken it cannot be played, or not any further
 */
export function play(stage: HTMLElement, playable: Playable, onBroken: () => void): void {
  const { title, isAudio, hls, poster, waveform, signature } = playable;
  stage.innerHTML = controls(isAudio);
  const video = stage.querySelector<HlsElement>('hls-video');
  if (!video) throw new Error('no player');
  stage.querySelector('media-controller')?.setAttribute('aria-label', `Player: ${title}`);
  if (poster && !isAudio) video.setAttribute('poster', poster);
  if (signature) {
    video.config = {
      xhrSetup: (request, url) => request.open('GET', `${url}${url.includes('?') ? '&' : '?'}${signature}`, true),
    };
  }
  video.addEventListener('error', onBroken);
  video.src = hls;
  // The element makes its player in the next microtask, and says nothing of that one's errors.
  void Promise.resolve().then(() => video.api?.on(Hls.Events.ERROR, (_, { fatal }) => fatal && onBroken()));
  if (!isAudio || !waveform) return;
  // A second way to seek, with the pointer; the player's own bar is for the keyboard.
  const canvas = document.createElement('canvas');
  canvas.className = 'waveform';
  stage.append(canvas);
  void drawWaveform(canvas, `${waveform}${signature && `?${signature}`}`, video);
}
