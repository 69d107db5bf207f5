import { useQuery } from '@tanstack/react-query';
import { bytes, usd } from '../parts/format.ts';
import { Wide } from '../parts/wide.tsx';
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
      <Wide name="Costs">
        <table>
          <thead>
            <tr>
              <th scope="col">Month</th>
              <th scope="col">Engine</th>
              <th scope="col">Cost</th>
              <th scope="col">Of jobs with an estimate</th>
              <th scope="col">Estimate</th>
            </tr>
          </thead>
          <tbody>
            {cost.toReversed().map(({ month, engine, usd: spent }) => (
              <tr key={`${month} ${engine}`}>
                <th scope="row">{month}</th>
                <td>{engine}</td>
                <td>{usd(spent)}</td>
                <td>{usd(expected(month, engine)?.usd ?? 0)}</td>
                <td>{usd(expected(month, engine)?.expectedUsd ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <p className="label">
        {`${Math.round(minutesIn)} minutes in, ${bytes(bytesIn)}; ${bytes(bytesOut)} out; ${bytes(bytesSavedByArchive)} saved by the archive.`}
      </p>
    </section>
  );
}
