import { Link } from 'wouter';
import type { Answer } from '../../../../client/request.ts';
import { moment, span } from '../parts/format.ts';
import { Table } from '../parts/table.tsx';

type Health = Answer<'getHealth'>;

const TONES: Readonly<Record<Health['status'], string>> = { ok: 'good', degraded: 'warn', failing: 'bad' };

export function Summary({ health: { status, problems, jobs, last24Hours, lastSweep, checkedAt } }: { health: Health }) {
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

export function Queues({ queues }: Pick<Health, 'queues'>) {
  return (
    <section>
      <h2>Queues</h2>
      <Table name="Queues" columns={['Queue', 'Waits', 'Busy', 'Later', 'Oldest', 'Dead']}>
        {queues.map(({ name, waiting, inFlight, delayed, oldestSeconds, deadLetters }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{waiting}</td>
            <td>{inFlight}</td>
            <td>{delayed}</td>
            <td>{oldestSeconds === null ? '–' : span(oldestSeconds)}</td>
            <td>{deadLetters > 0 ? <strong className="why">{deadLetters}</strong> : 0}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

/** What the last runs did. `did` has the names of functions/sweep/services.ts. */
export function Sweeps({ sweeps }: Pick<Health, 'sweeps'>) {
  return (
    <section>
      <h2>Last sweeps</h2>
      {sweeps.length === 0 && <p className="label">None yet: one runs every 5 minutes.</p>}
      <ul>
        {sweeps.map(({ at, tookMs, did }) => (
          <li key={at}>
            {moment(at)}
            <span className="label">{` ${span(tookMs / 1000)}: ${deeds(did)}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** `retranscodesStarted: 2` as `2 retranscodes started`. */
function deeds(did: Readonly<Record<string, number>>): string {
  const told = Object.entries(did).map(
    ([name, times]) => `${times} ${name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`)}`,
  );
  return told.join(', ') || 'nothing was to be done';
}
