import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Answer } from '../../../../client/request.ts';
import { moment, span } from '../parts/format.ts';
import { Notice } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import { useSession } from '../use-session.ts';
import { Costs } from './costs.tsx';
import { Deliveries } from './deliveries.tsx';
import { Failures, UnderWay } from './work.tsx';

type Health = Answer<'getHealth'>;

const LOOK_MS = 10_000;

/** For operators: whether the pipeline works, and what does not. */
export default function Operations() {
  const { client } = useSession();
  const { data, error } = useQuery({
    queryKey: ['health'],
    queryFn: () => client.call('getHealth'),
    refetchInterval: LOOK_MS,
  });
  return (
    <>
      <h1>Operations</h1>
      {error && <Notice error={error} />}
      {data && <Summary health={data} />}
      <div className="columns">
        <div>
          <UnderWay />
          <Failures />
          <Deliveries />
        </div>
        <div>
          {data && <Queues queues={data.queues} />}
          <Costs />
        </div>
      </div>
    </>
  );
}

const TONES: Readonly<Record<Health['status'], string>> = { ok: 'good', degraded: 'warn', failing: 'bad' };

function Summary({ health: { status, problems, jobs, last24Hours, lastSweep, checkedAt } }: { health: Health }) {
  const { latestFailure, latestBadKey } = last24Hours;
  return (
    <section aria-label="Health">
      <p className="row start">
        <span className={`badge ${TONES[status]}`}>{status}</span>
        <span className="label">{`as of ${moment(checkedAt)}`}</span>
      </p>
      {problems.length > 0 && (
        <ul className="notice warn">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <dl>
        <div>
          <dt>Last 24 hours</dt>
          <dd>{`${last24Hours.ready} ready, ${last24Hours.failed} failed, ${last24Hours.refused} refused`}</dd>
        </div>
        <div>
          <dt>Jobs</dt>
          <dd>
            {`${jobs.unfinished} unfinished, ${jobs.stuck} stuck`}
            {jobs.longestSilenceSeconds !== null && `; silent for ${span(jobs.longestSilenceSeconds)} at most`}
            {jobs.stuckIds.map((job) => (
              <Link key={job} href={`/media/${job.slice(0, job.indexOf('-'))}`}>{` ${job}`}</Link>
            ))}
          </dd>
        </div>
        <div>
          <dt>Last sweep</dt>
          <dd>{lastSweep ? `${span(lastSweep.ageSeconds)} ago` : 'none yet'}</dd>
        </div>
        {latestFailure && (
          <div>
            <dt>Latest failure</dt>
            <dd>
              <Link href={`/media/${latestFailure.mediaId}`}>{latestFailure.message}</Link>
              {` ${latestFailure.code}, ${moment(latestFailure.at)}`}
            </dd>
          </div>
        )}
        {latestBadKey && (
          <div>
            <dt>Not encoded</dt>
            <dd>{`${latestBadKey.key}: no key of a drop, ${moment(latestBadKey.at)}`}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function Queues({ queues }: Pick<Health, 'queues'>) {
  return (
    <section>
      <h2>Queues</h2>
      <Table name="Queues" columns={['Queue', 'Waiting', 'In flight', 'Later', 'Dead']}>
        {queues.map(({ name, waiting, inFlight, delayed, deadLetters }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{waiting}</td>
            <td>{inFlight}</td>
            <td>{delayed}</td>
            <td>{deadLetters > 0 ? <strong className="why">{deadLetters}</strong> : 0}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
