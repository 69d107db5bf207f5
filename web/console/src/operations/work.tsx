import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { ERRORS } from '../../../../core/contracts/errors.ts';
import { moment } from '../parts/format.ts';
import { type Media, StateBadge } from '../parts/state-badge.tsx';
import { useSession } from '../use-session.ts';

const LOOK_MS = 10_000;
const SHOWN = 50;

function useMediaIn(state: Media['state']): readonly Media[] {
  const { client } = useSession();
  const { data } = useQuery({
    queryKey: ['media-in', state],
    queryFn: () => client.call('listMedia', { query: { state, limit: SHOWN } }),
    refetchInterval: LOOK_MS,
  });
  return data?.items ?? [];
}

/** What waits or is encoded now. */
export function UnderWay() {
  const waiting = useMediaIn('uploaded');
  const encoding = useMediaIn('transcoding');
  const again = useMediaIn('retranscoding');
  const all = [...encoding, ...again, ...waiting];
  return (
    <section>
      <h2>{`Under way: ${all.length}`}</h2>
      {all.length === 0 && <p className="label">Nothing.</p>}
      <ul>
        {all.map((media) => (
          <li key={media.id} className="row start">
            <Link href={`/media/${media.id}`}>{media.title}</Link>
            <StateBadge media={media} />
            <span className="label">{`${media.creatorId}, since ${moment(media.updatedAt)}`}</span>
            {media.error && <span className="why">{media.error.message}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What failed, by its code, with what is to be done. */
export function Failures() {
  const failed = useMediaIn('failed');
  const codes = [...new Set(failed.flatMap(({ error }) => error?.code ?? []))];
  return (
    <section>
      <h2>{`Failed: ${failed.length}${failed.length === SHOWN ? ' or more' : ''}`}</h2>
      {failed.length === 0 && <p className="label">Nothing.</p>}
      {codes.map((code) => (
        <details key={code}>
          <summary>{`${code}: ${failed.filter(({ error }) => error?.code === code).length}`}</summary>
          {Object.hasOwn(ERRORS, code) && <p>{ERRORS[code].action}</p>}
          <ul>
            {failed
              .filter(({ error }) => error?.code === code)
              .map(({ id, title, error }) => (
                <li key={id}>
                  <Link href={`/media/${id}`}>{title}</Link> <span className="label">{error?.message}</span>
                </li>
              ))}
          </ul>
        </details>
      ))}
    </section>
  );
}
