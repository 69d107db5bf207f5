import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../../../../client/request.ts';
import { Facts } from '../parts/facts.tsx';
import { moment, span, usd } from '../parts/format.ts';
import type { Media } from '../parts/state-badge.tsx';
import { useSession } from '../use-session.ts';

type Job = Answer<'listJobs'>['items'][number];

const STEPS: Readonly<Record<string, string>> = { pulled: 'Read', transcoded: 'Encoded', pushed: 'Stored' };

/** What was done to make its versions, the newest first. */
export function Jobs({ media }: { media: Media }) {
  const { client } = useSession();
  const { job, id } = media;
  const { data } = useQuery({
    // Its state is part of the key: the list is read anew when it changes.
    queryKey: ['jobs', id, job?.n, job?.state],
    queryFn: () => client.call('listJobs', { id }),
    placeholderData: (before) => before,
  });
  const others = data?.items.filter(({ n }) => n !== job?.n) ?? [];
  const all = job ? [job, ...others] : others;
  if (all.length === 0) return null;
  return (
    <section>
      <h2>Timeline</h2>
      <ol className="jobs">
        {all.map((one) => (
          <li key={one.n}>
            <Job job={one} media={media} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Job({ job, media }: { job: Job; media: Media }) {
  const { n, purpose, state, engine, attempt, progress, speed, preset, estimate, cost, error, logUrl } = job;
  const facts = [
    ['Engine', engine],
    ['Preset', `${preset.name}, version ${preset.version}`],
    ...(attempt > 1 ? [['Attempts', String(attempt)]] : []),
    ...(estimate ? [['Estimate', `${span(estimate.seconds)}, ${usd(estimate.usd)}`]] : []),
    ...(cost ? [['Cost', `${usd(cost.usd)}, ${Math.round(cost.vcpuSeconds)} vCPU-seconds`]] : []),
  ];
  return (
    <details open={n === media.job?.n}>
      <summary>
        {`${purpose === 'ingest' ? 'Encode' : 'Encode again'} ${n}: ${state}`}
        {state === 'running' && ` ${Math.round(progress)} %${speed ? `, ${speed.toFixed(1)}×` : ''}`}
      </summary>
      <ol className="steps">
        {stepsOf(job, media).map(([name, at]) => (
          <li key={`${name} ${at}`}>
            <span>{name}</span> <time dateTime={at}>{moment(at)}</time>
          </li>
        ))}
      </ol>
      {error && <p className="why">{`${error.code}: ${error.message}`}</p>}
      <Facts facts={facts} />
      {logUrl && (
        <a href={logUrl} target="_blank" rel="noreferrer">
          Log
        </a>
      )}
    </details>
  );
}

function stepsOf({ n, createdAt, startedAt, steps, finishedAt, state }: Job, { version }: Media): [string, string][] {
  const published = version?.n === n ? version.publishedAt : undefined;
  return [
    ['Queued', createdAt],
    ...(startedAt ? [['Started', startedAt] as [string, string]] : []),
    ...steps.map(({ name, at }): [string, string] => [STEPS[name] ?? name, at]),
    ...(published ? [['Published', published] as [string, string]] : []),
    ...(finishedAt && !published ? [[state === 'failed' ? 'Failed' : 'Ended', finishedAt] as [string, string]] : []),
  ];
}
