import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import { ERRORS, type ErrorCode } from '../../../../core/contracts/errors.ts';
import { moment } from '../parts/format.ts';
import { messageOf, Notice } from '../parts/notice.tsx';
import type { Media } from '../parts/state-badge.tsx';
import { tell } from '../parts/toasts.tsx';
import { useSession } from '../use-session.ts';
import { SLOW_MS } from './use-operations.ts';

const SHOWN = 50;

/** What failed, by its code, with what is to be done. */
export function Failures() {
  const { client } = useSession();
  const { data, error } = useQuery({
    queryKey: ['media-in', 'failed'],
    queryFn: () => client.call('listMedia', { query: { state: 'failed', limit: SHOWN } }),
    refetchInterval: SLOW_MS,
  });
  const failed = data?.items ?? [];
  const codes = [...new Set(failed.flatMap((media) => media.error?.code ?? []))];
  return (
    <section>
      <h2>{`Failed: ${failed.length}${data?.next ? ' or more' : ''}`}</h2>
      {error && <Notice error={error} />}
      {data && failed.length === 0 && <p className="label">Nothing has failed.</p>}
      {codes.map((code) => (
        <Code key={code} code={code} media={failed.filter((one) => one.error?.code === code)} />
      ))}
      {data?.next && <Link href="/?state=failed">All that has failed</Link>}
    </section>
  );
}

function Code({ code, media }: { code: ErrorCode; media: readonly Media[] }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const retry = async (id: string) => {
    try {
      await client.call('retryMedia', { id });
      tell('It is encoded once more.');
      await Promise.all(['media-in', 'jobs-under-way'].map((name) => queries.invalidateQueries({ queryKey: [name] })));
    } catch (cause) {
      tell(messageOf(cause));
    }
  };
  return (
    <details>
      <summary>{`${code}: ${media.length}`}</summary>
      {Object.hasOwn(ERRORS, code) && <p>{`${ERRORS[code].when} ${ERRORS[code].action}`}</p>}
      <ul className="work">
        {media.map(({ id, title, creatorId, error, attempts, maxAttempts }) => (
          <li key={id}>
            <p className="row start">
              <Link href={`/media/${id}`}>{title}</Link>
              <span className="label">{`${creatorId}${error ? `, ${moment(error.at)}` : ''}`}</span>
              {attempts < maxAttempts && (
                <button type="button" className="quiet" aria-label={`Retry ${title}`} onClick={() => void retry(id)}>
                  Retry
                </button>
              )}
            </p>
            {error && <p className="label">{error.message}</p>}
          </li>
        ))}
      </ul>
    </details>
  );
}
