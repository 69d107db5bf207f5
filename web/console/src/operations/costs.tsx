import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'wouter';
import { bytes, usd } from '../parts/format.ts';
import { Notice } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import { useSession } from '../use-session.ts';
import { SLOW_MS } from './use-operations.ts';

const PERIODS = [7, 14, 31, 92];
const USUAL = 14;
const AMOUNTS = ['Jobs', 'Cost', 'With estimate', 'Estimate'];

/** By day, engine and collection, against what was expected. */
export function Costs() {
  const { client } = useSession();
  const [search, setSearch] = useSearchParams();
  const asked = Number(search.get('days'));
  const days = PERIODS.includes(asked) ? asked : USUAL;
  const costs = useQuery({
    queryKey: ['costs', days],
    queryFn: () => client.call('getCosts', { query: { days } }),
    refetchInterval: SLOW_MS,
  });
  const { data: stats } = useQuery({ queryKey: ['stats'], queryFn: () => client.call('getStats') });
  const choose = (value: string) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        after.set('days', value);
        return after;
      },
      { replace: true },
    );
  const { data } = costs;
  return (
    <section>
      <h2>Cost</h2>
      <label className="inline">
        Of the last
        <select value={days} onChange={({ target }) => choose(target.value)}>
          {PERIODS.map((period) => (
            <option key={period} value={period}>{`${period} days`}</option>
          ))}
        </select>
      </label>
      {costs.error && <Notice error={costs.error} />}
      {data?.days.length === 0 && <p className="label">No encode has ended in these days.</p>}
      {data && data.days.length > 0 && (
        <>
          <Table name="Costs by day" columns={['Day', 'Engine', ...AMOUNTS]}>
            {data.days.map((day) => (
              <tr key={`${day.day} ${day.engine}`}>
                <th scope="row">{day.day}</th>
                <td>{day.engine}</td>
                <Amounts of={day} />
              </tr>
            ))}
          </Table>
          <Table name="Costs by collection" columns={['Collection', 'Engine', ...AMOUNTS]}>
            {data.collections.map((of) => (
              <tr key={`${of.creatorId}/${of.collectionId} ${of.engine}`}>
                <th scope="row">{`${of.creatorId}/${of.collectionId}`}</th>
                <td>{of.engine}</td>
                <Amounts of={of} />
              </tr>
            ))}
          </Table>
          {data.more > 0 && <p className="label">{`and ${data.more} more`}</p>}
        </>
      )}
      {stats && (
        <p className="label">
          {`In all ${Math.round(stats.minutesIn)} minutes in, ${bytes(stats.bytesIn)}; ${bytes(stats.bytesOut)} out; ${bytes(stats.bytesSavedByArchive)} saved by the archive.`}
        </p>
      )}
    </section>
  );
}

function Amounts({ of }: { of: { jobs: number; usd: number; expectedUsd: number; estimatedUsd: number } }) {
  return (
    <>
      <td>{of.jobs}</td>
      <td>{usd(of.usd)}</td>
      <td>{usd(of.estimatedUsd)}</td>
      <td>{usd(of.expectedUsd)}</td>
    </>
  );
}
