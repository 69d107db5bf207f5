import { useQuery } from '@tanstack/react-query';
import { Notice } from '../parts/notice.tsx';
import { useSession } from '../use-session.ts';
import { Costs } from './costs.tsx';
import { Deliveries } from './deliveries.tsx';
import { Engines } from './engines.tsx';
import { Failures } from './failures.tsx';
import { Queues, Summary, Sweeps } from './health.tsx';
import { UnderWay } from './under-way.tsx';
import { LOOK_MS } from './use-operations.ts';

/** For operators: whether the pipeline works, what does not, and what can be done. */
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
          <Costs />
        </div>
        <div>
          {data && <Queues queues={data.queues} />}
          <Engines />
          {data && <Sweeps sweeps={data.sweeps} />}
        </div>
      </div>
    </>
  );
}
