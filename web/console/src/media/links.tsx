import { Copy } from '../parts/copy.tsx';
import type { Media } from '../parts/state-badge.tsx';

export function Links({ media: { playback, access, title, id } }: { media: Media }) {
  if (!playback) return null;
  const { hls, mp4, dash } = playback;
  return (
    <section>
      <h2>Links</h2>
      {access === 'private' && (
        <p className="label">It is private: who opens these needs a session or a signed link (dropreel url {id}).</p>
      )}
      <Copy name="HLS" text={hls} />
      {dash && <Copy name="DASH" text={dash} />}
      {mp4 && <Copy name="MP4" text={mp4} />}
      {mp4 && access !== 'private' && (
        <a className="button" href={mp4} download={title}>
          Download MP4
        </a>
      )}
    </section>
  );
}
