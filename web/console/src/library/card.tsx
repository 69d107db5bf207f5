import { type ComponentType, lazy, Suspense, useState } from 'react';
import { Link } from 'wouter';
import { bytes, clock } from '../parts/format.ts';
import { type Media, StateBadge } from '../parts/state-badge.tsx';
import { useSession } from '../use-session.ts';

/** Without it a card is as it is while nobody points at it. */
const Preview = lazy<ComponentType<{ url: string }>>(() =>
  import('./preview.tsx').catch(() => ({ default: () => null })),
);

const STILL = matchMedia('(prefers-reduced-motion: reduce)');

/** One media item; its preview plays while it is pointed at, or has the focus. */
export function Card({ media }: { media: Media }) {
  const [looked, setLooked] = useState(false);
  const { me } = useSession();
  const { id, title, kind, playback, source, creatorId, error } = media;
  const preview = kind === 'video' && !STILL.matches && looked ? playback?.preview : undefined;
  const from = () => setLooked(true);
  const to = () => setLooked(false);
  return (
    <li className="card">
      <Link href={`/media/${id}`} onPointerEnter={from} onPointerLeave={to} onFocus={from} onBlur={to}>
        <div className={`picture ${kind ?? ''}`}>
          {playback?.thumbnail && <img src={playback.thumbnail} alt="" width="320" height="180" loading="lazy" />}
          {preview && (
            <Suspense>
              <Preview url={preview} />
            </Suspense>
          )}
          {source.durationSeconds !== undefined && <span className="length">{clock(source.durationSeconds)}</span>}
        </div>
        <div className="about">
          <span className="title" title={title}>
            {title}
          </span>
          <span className="facts">
            <StateBadge media={media} />
            <span>{bytes(source.size)}</span>
            {creatorId !== me.creatorId && <span>{creatorId}</span>}
          </span>
          {media.state === 'failed' && error && <span className="why">{error.message}</span>}
        </div>
      </Link>
    </li>
  );
}
