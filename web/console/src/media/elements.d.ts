import type { HTMLAttributes, RefAttributes } from 'react';

/** The elements of media-chrome and hls-video-element that are used here. */
type PlayerElement = HTMLAttributes<HTMLElement> &
  RefAttributes<HTMLVideoElement> & {
    slot?: string;
    audio?: boolean | undefined;
    anchor?: string;
    noautohide?: boolean;
    showduration?: boolean;
    notoggle?: boolean;
    playsinline?: boolean;
    crossorigin?: boolean;
    poster?: string | undefined;
  };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'hls-video': PlayerElement;
      'media-captions-menu': PlayerElement;
      'media-control-bar': PlayerElement;
      'media-controller': PlayerElement;
      'media-fullscreen-button': PlayerElement;
      'media-loading-indicator': PlayerElement;
      'media-mute-button': PlayerElement;
      'media-pip-button': PlayerElement;
      'media-play-button': PlayerElement;
      'media-playback-rate-menu': PlayerElement;
      'media-rendition-menu': PlayerElement;
      'media-settings-menu': PlayerElement;
      'media-settings-menu-button': PlayerElement;
      'media-settings-menu-item': PlayerElement;
      'media-time-display': PlayerElement;
      'media-time-range': PlayerElement;
      'media-volume-range': PlayerElement;
    }
  }
}
