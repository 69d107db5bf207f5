import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { Boundary } from '../parts/boundary.tsx';
import { later } from '../parts/later.tsx';
import { Notice } from '../parts/notice.tsx';
import { isUnderWay, type Media, StateBadge } from '../parts/state-badge.tsx';
import { useSession } from '../use-session.ts';
import { Actions } from './actions.tsx';
import { Edit } from './edit.tsx';
import { Failure } from './failure.tsx';
import { Jobs } from './jobs.tsx';
import { Links } from './links.tsx';
import { Renditions, SourceFacts, Warnings } from './report.tsx';
import '../styles/media.css';

const Player = later(() => import('./player.tsx'), <div className="soon" />);

const BUSY_MS = 2_000;
const IDLE_MS = 60_000;

export default function MediaPage({ id }: { id: string }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const { data: media, error } = useQuery({
    queryKey: ['media-item', id],
    queryFn: () => client.call('getMedia', { id }),
    refetchInterval: ({ state: { data } }) => (data && isUnderWay(data) ? BUSY_MS : IDLE_MS),
  });
  const reload = () => queries.invalidateQueries({ queryKey: ['media-item', id] });
  useEffect(() => {
    if (media) document.title = `${media.title} · dropreel`;
  }, [media]);
  if (!media) return error ? <Notice error={error} /> : <p className="waiting">Loading…</p>;
  return (
    <article className="media">
      {error && <Notice error={error} />}
      <header>
        <Link href="/">Library</Link>
        <h1>{media.title}</h1>
        <p className="row start">
          <StateBadge media={media} />
          <span className="label">{media.collectionId}</span>
          {media.tags.map((tag) => (
            <Link key={tag} href={`/?q=${encodeURIComponent(tag)}`} className="tag">
              {tag}
            </Link>
          ))}
        </p>
      </header>
      <div className="stage">
        <Stage media={media} />
      </div>
      <Failure media={media} />
      <Actions media={media} reload={reload} />
      <div className="columns">
        <div>
          <Jobs media={media} />
          <Renditions media={media} />
          <Warnings media={media} />
        </div>
        <div>
          <Edit key={media.updatedAt} media={media} reload={reload} />
          <Links media={media} />
          <SourceFacts media={media} />
        </div>
      </div>
    </article>
  );
}

/** What plays, or the place where it will. A new version is a new player; one that was shown before it was whole goes on in the same. */
function Stage({ media }: { media: Media }) {
  if (!media.playable) {
    const progress = media.job?.progress ?? 0;
    return (
      <div className="soon">
        {isUnderWay(media) && media.state !== 'deleting' ? (
          <>
            <p>It plays here when it is encoded.</p>
            <progress max="100" value={progress} aria-label="Progress of the encode" />
            <p>{`${Math.round(progress)} %${media.job?.speed ? `, ${media.job.speed.toFixed(1)} times real time` : ''}`}</p>
          </>
        ) : (
          <p>Nothing to play.</p>
        )}
      </div>
    );
  }
  return (
    <Boundary place={String(media.version?.n ?? media.job?.n)}>
      <Player key={media.version?.n ?? media.job?.n} media={media} />
    </Boundary>
  );
}
