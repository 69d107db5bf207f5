import { useQuery } from '@tanstack/react-query';
import { bytes, usd } from '../parts/format.ts';
import { Table } from '../parts/table.tsx';
import { useSession } from '../use-session.ts';

/** By month and engine, against what was expected. */
export function Costs() {
  const { client } = useSession();
  const { data } = useQuery({ queryKey: ['stats'], queryFn: () => client.call('getStats') });
  if (!data) return null;
  const { cost, estimates, bytesIn, bytesOut, bytesSavedByArchive, minutesIn } = data;
  const expected = (month: string, engine: string) =>
    estimates.find((one) => one.month === month && one.engine === engine);
  return (
    <section>
      <h2>Cost</h2>
      <Table name="Costs" columns={['Month', 'Engine', 'Cost', 'Of jobs with an estimate', 'Estimate']}>
        {cost.toReversed().map(({ month, engine, usd: spent }) => (
          <tr key={`${month} ${engine}`}>
            <th scope="row">{month}</th>
            <td>{engine}</td>
            <td>{usd(spent)}</td>
            <td>{usd(expected(month, engine)?.usd ?? 0)}</td>
            <td>{usd(expected(month, engine)?.expectedUsd ?? 0)}</td>
          </tr>
        ))}
      </Table>
      <p className="label">
        {`${Math.round(minutesIn)} minutes in, ${bytes(bytesIn)}; ${bytes(bytesOut)} out; ${bytes(bytesSavedByArchive)} saved by the archive.`}
      </p>
    </section>
  );
}
