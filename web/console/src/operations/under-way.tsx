import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Answer } from '../../../../client/request.ts';
import { Confirm } from '../parts/confirm.tsx';
import { moment } from '../parts/format.ts';
import { Notice } from '../parts/notice.tsx';
import { tell } from '../parts/toasts.tsx';
import { useSession } from '../use-session.ts';
import { useJobs } from './use-operations.ts';

type Job = Answer<'listJobsUnderWay'>['items'][number];

const WAITS: Readonly<Record<NonNullable<Job['waits']>, string>> = {
  engine: 'waits for its engine',
  cap: 'held by a cap',
  restore: 'waits for its source',
};

/** What waits or is encoded now: those that are stuck first. */
export function UnderWay() {
  const { data, error } = useJobs();
  const [ended, setEnded] = useState<Job | null>(null);
  const { client } = useSession();
  const queries = useQueryClient();
  const end = async ({ mediaId }: Job) => {
    await client.call('cancelMedia', { id: mediaId });
    tell('It is being ended.');
    await queries.invalidateQueries({ queryKey: ['jobs-under-way'] });
  };
  return (
    <section>
      <h2>{`Under way: ${data?.items.length ?? 0}${data?.more ? ' or more' : ''}`}</h2>
      {error && <Notice error={error} />}
      {data?.items.length === 0 && (
        <p className="label">
          Nothing. What is uploaded, or dropped into the uploads bucket, is here while it is encoded.
        </p>
      )}
      <ul className="work">
        {data?.items.map((job) => (
          <li key={job.id}>
            <p className="row start">
              <Link href={`/media/${job.mediaId}`}>{job.title}</Link>
              {job.stuck && <span className="badge bad">Stuck</span>}
              <span className="badge busy">{stateOf(job)}</span>
            </p>
            <p className="label">
              {`${job.creatorId}/${job.collectionId}, ${job.engine}, last sign of life ${moment(job.heartbeatAt)}`}
            </p>
            {job.error && <p className="why">{`${job.error.code}: ${job.error.message}`}</p>}
            {job.stuck && (
              <p className="label">
                Sweep should have seen to it. If the last sweep is recent, end it, and retry it: its engine may have
                lost it.
              </p>
            )}
            <p className="row start">
              <button type="button" onClick={() => setEnded(job)} aria-label={`End the encode of ${job.title}`}>
                End…
              </button>
              {job.logUrl && (
                <a href={job.logUrl} target="_blank" rel="noreferrer">
                  Log
                </a>
              )}
            </p>
          </li>
        ))}
      </ul>
      {ended && (
        <Confirm title="End this encode?" verb="End it" danger onDo={() => end(ended)} onClose={() => setEnded(null)}>
          <p>
            {ended.purpose === 'ingest'
              ? `“${ended.title}” fails with “cancelled”, and can be retried.`
              : `“${ended.title}” plays on as it is, and can be encoded again.`}
            {' What was encoded so far is lost, and paid for.'}
          </p>
        </Confirm>
      )}
    </section>
  );
}

function stateOf({ state, progress, speed, waits }: Job): string {
  if (waits) return WAITS[waits];
  if (state !== 'running') return state === 'succeeded' ? 'being published' : state;
  return `${Math.round(progress)} %${speed === undefined ? '' : `, ${speed.toFixed(1)}×`}`;
}
