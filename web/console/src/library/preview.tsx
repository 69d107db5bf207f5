import Hls from 'hls.js';
import { useEffect, useRef } from 'react';

/** So that the pointer may pass over a card without a request. */
const REST_MS = 250;

/** The first seconds, without sound, over the picture. */
export default function Preview({ url }: { url: string }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    let hls: Hls | undefined;
    const timer = setTimeout(() => {
      if (!video.current || !Hls.isSupported()) return;
      hls = new Hls({ maxBufferLength: 10, capLevelToPlayerSize: true });
      hls.loadSource(url);
      hls.attachMedia(video.current);
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      hls?.destroy();
    };
  }, [url]);
  return <video ref={video} muted autoPlay loop playsInline tabIndex={-1} aria-hidden="true" />;
}
