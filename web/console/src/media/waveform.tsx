import { type RefObject, useEffect, useRef } from 'react';
import { drawWaveform } from '../../../player/waveform.ts';

/** A second way to seek, with the pointer; the player's own bar is for the keyboard. */
export function Waveform({ url, player }: { url: string; player: RefObject<HTMLMediaElement | null> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current && player.current) void drawWaveform(canvas.current, url, player.current);
  }, [url, player]);
  return <canvas ref={canvas} className="waveform" />;
}
