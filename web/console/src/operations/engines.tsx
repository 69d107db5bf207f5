import { useQuery } from '@tanstack/react-query';
import type { Answer } from '../../../../client/request.ts';
import { moment } from '../parts/format.ts';
import { Notice } from '../parts/notice.tsx';
import { useSession } from '../use-session.ts';
import { SLOW_MS } from './use-operations.ts';

type Engine = Answer<'listEngines'>['items'][number];

/** What may encode, whether it takes jobs, and how busy the last sweep has seen it. */
export function Engines() {
  const { client } = useSession();
  const { data, error } = useQuery({
    queryKey: ['engines'],
    queryFn: () => client.call('listEngines'),
    refetchInterval: SLOW_MS,
  });
  return (
    <section>
      <h2>Engines</h2>
      {error && <Notice error={error} />}
      <ul className="work">
        {data?.items.map((engine) => (
          <One key={engine.name} engine={engine} />
        ))}
      </ul>
    </section>
  );
}

function One({ engine: { name, failing, seen } }: { engine: Engine }) {
  const queues = seen?.queues ?? [];
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const blocked = queues.flatMap(({ queue, blockedBy }) =>
    blockedBy === null ? [] : [[shortName(queue), blockedBy] as const],
  );
  const broken = seen?.broken.map(({ what, reason }) => [shortName(what), reason] as const) ?? [];
  const isWell = !failing && blocked.length + broken.length === 0;
  return (
    <li>
      <p className="row start">
        <strong>{name}</strong>
        <span className={`badge ${isWell ? 'good' : 'bad'}`}>
          {failing ? 'takes no jobs' : isWell ? 'works' : 'troubled'}
        </span>
        {seen && (
          <span className="label">{`${queues.some(({ atWork }) => atWork) ? 'at work' : 'idle'}, ${waiting} waiting`}</span>
        )}
        {seen?.vcpus && <span className="label">{`${seen.vcpus.now} of ${seen.vcpus.most} vCPUs`}</span>}
      </p>
      {failing && <p className="why">{`Since ${moment(failing.since)}, ${failing.failures} times: ${failing.why}`}</p>}
      {[...blocked, ...broken].map(([what, reason]) => (
        <p key={what} className="why">{`${what}: ${reason}`}</p>
      ))}
      <p className="label">{seen ? `as of ${moment(seen.at)}` : 'The last sweep got no answer of it.'}</p>
    </li>
  );
}

/** The last part of an ARN. */
function shortName(arn: string): string {
  return arn.split(/[:/]/).at(-1) ?? arn;
}
