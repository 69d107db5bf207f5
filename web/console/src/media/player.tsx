import { useEffect, useRef, useState } from 'react';
import { signatureQuery } from '../../../../core/contracts/embed.ts';
import { Notice } from '../parts/notice.tsx';
import type { Media } from '../parts/state-badge.tsx';
import { play } from '../play/play.ts';
import { useSession } from '../use-session.ts';
import '../play/play.css';

/** What opens a private media item; empty for a public one, null until it is known. */
function useSignature({ id, access }: Media) {
  const { client } = useSession();
  const [signature, setSignature] = useState(access === 'private' ? null : '');
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (access !== 'private') return;
    client
      .call('createPlaybackSession', { id })
      .then(({ cookies }) => setSignature(signatureQuery(cookies)))
      .catch(setError);
  }, [client, id, access]);
  return { signature, error };
}

export default function Player({ media: { title, kind, playback, ...media } }: { media: Media }) {
  const { signature, error } = useSignature({ title, kind, playback, ...media });
  const stage = useRef<HTMLDivElement>(null);
  const [broken, setBroken] = useState(false);
  const isAudio = kind === 'audio';
  const { hls, posterLarge, thumbnail, waveform } = playback ?? {};
  const poster = posterLarge ?? thumbnail;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what else becomes known is no reason to begin anew
  useEffect(() => {
    const element = stage.current;
    if (!element || signature === null || hls === undefined) return;
    play(element, { title, isAudio, hls, poster, waveform, signature }, () => setBroken(true));
    return () => element.replaceChildren();
  }, [signature, hls, isAudio]);
  return (
    <>
      {error !== null && <Notice error={error} />}
      {broken && <Notice error={new Error('It cannot be played: part of the stream cannot be read.')} />}
      <div ref={stage} className={`player ${isAudio ? 'sound' : 'pictures'}`} />
    </>
  );
}
