import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type ArchivePlan, wholePlan } from '../../../../client/archive-plan.ts';
import type { Answer } from '../../../../client/request.ts';
import { ARCHIVE_CLASSES, ARCHIVE_REASONS, CollectionArchivePolicy } from '../../../../core/contracts/archive.ts';
import { Confirm } from '../parts/confirm.tsx';
import { bytes, moment, usd } from '../parts/format.ts';
import { messageOf, Notice } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../parts/toasts.tsx';
import { useSession } from '../use-session.ts';

type View = Answer<'getArchive'>;
type Policy = View['policy'];

const METHODS: Readonly<Record<Policy['method'], string>> = {
  reencode: 'a denser copy takes the place of the original',
  'storage-class': 'the original goes to a cheaper storage class',
  both: 'a denser copy, in a cheaper storage class',
  auto: 'for each original what saves most',
};

/** What a collection's archive does and has saved, its policy, and what that would come to. */
export function Archive({ id }: { id: string }) {
  const { client } = useSession();
  const { data, error } = useQuery({ queryKey: ['archive', id], queryFn: () => client.call('getArchive', { id }) });
  return (
    <section>
      <h2>Archive of originals</h2>
      {error && <p className="label">{messageOf(error)}</p>}
      {data && <Standing view={data} />}
      {data && <PolicyForm key={JSON.stringify([data.policy, data.enabled])} id={id} view={data} />}
      {data && <Plan id={id} policy={data.policy} />}
    </section>
  );
}

function Standing({ view: { enabled, stats, waits, current, nextLookAt } }: { view: View }) {
  const refused = Object.entries(stats.refused);
  return (
    <>
      <p>
        {`${enabled ? 'On' : 'Off'}: ${stats.archived} archived, ${bytes(stats.originalBytes)} became ${bytes(stats.archivedBytes)} (${Math.round(stats.savedPercent)} % saved); ${stats.moved} in a cheaper class; ${current.length} under way.`}
        {waits && ` ${waits}`}
        {enabled && nextLookAt && ` It is looked at again ${moment(nextLookAt)}.`}
      </p>
      {refused.length > 0 && (
        <ul className="label">
          {refused.map(([reason, count]) => (
            <li key={reason}>{`${count} stay as they are: ${whyOf(reason)}`}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function whyOf(reason: string): string {
  const reasons: Readonly<Record<string, string>> = ARCHIVE_REASONS;
  return reasons[reason] ?? reason;
}

/** What people change of a policy; the command has all of it. */
function PolicyForm({ id, view: { policy, enabled } }: { id: string; view: View }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const [given, setGiven] = useState({ ...policy, enabled });
  const [asks, setAsks] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const set = (change: Partial<typeof given>) => setGiven({ ...given, ...change });
  const { method, storageClass, minAgeDays, keepOriginalDays, window } = given;
  const change = { method, storageClass, minAgeDays, keepOriginalDays, window };
  const wrong = CollectionArchivePolicy.partial().safeParse(change).error?.issues ?? [];
  const faultOf = (name: string) => wrong.find(({ path }) => path[0] === name)?.message;
  const save = async () => {
    await client.call('patchArchive', { id, body: { enabled: given.enabled, policy: change } });
    tell('Saved.');
    await Promise.all(['archive', 'archive-plan'].map((name) => queries.invalidateQueries({ queryKey: [name, id] })));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    if (given.enabled && !enabled) setAsks(true);
    else save().catch(setError);
  };
  const days = (name: 'minAgeDays' | 'keepOriginalDays', title: string) => (
    <label>
      {title}
      <input
        type="number"
        min="0"
        required
        value={Number.isNaN(given[name]) ? '' : given[name]}
        onChange={({ target }) => set({ [name]: target.valueAsNumber })}
      />
      {faultOf(name) && <span className="why">{faultOf(name)}</span>}
    </label>
  );
  return (
    <form onSubmit={submit}>
      <label className="check">
        <input type="checkbox" checked={given.enabled} onChange={({ target }) => set({ enabled: target.checked })} />
        Archive originals by themselves
      </label>
      <label>
        Way
        <select value={method} onChange={({ target }) => set({ method: target.value as Policy['method'] })}>
          {Object.entries(METHODS).map(([name, what]) => (
            <option key={name} value={name}>{`${name}: ${what}`}</option>
          ))}
        </select>
      </label>
      {method !== 'reencode' && (
        <label>
          Storage class
          <select
            value={storageClass}
            onChange={({ target }) => set({ storageClass: target.value as Policy['storageClass'] })}
          >
            {ARCHIVE_CLASSES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {days('minAgeDays', 'Originals that are older than so many days')}
      {days('keepOriginalDays', 'Keep the original beside its copy for so many days')}
      <label>
        {`Between these times (${policy.timeZone})`}
        <input value={window} onChange={({ target }) => set({ window: target.value })} />
        {faultOf('window') && <span className="why">{faultOf('window')}</span>}
      </label>
      {error !== null && <Notice error={error} />}
      <button type="submit" disabled={wrong.length > 0}>
        Save the archive
      </button>
      {asks && (
        <Confirm title="Archive originals?" verb="Switch it on" danger onDo={save} onClose={() => setAsks(false)}>
          <p>
            {`From now on, ${METHODS[method]}. An original that is replaced is deleted for good after ${keepOriginalDays} days; until then it can be put back.`}
          </p>
        </Confirm>
      )}
    </form>
  );
}

/** What the policy, as it is saved, would do now: asked for by a person, because all media of the collection are looked at. */
function Plan({ id, policy }: { id: string; policy: Policy }) {
  const { client } = useSession();
  const [asked, setAsked] = useState(false);
  const { data, error, isFetching } = useQuery({
    queryKey: ['archive-plan', id, policy],
    queryFn: () => wholePlan(client, id),
    enabled: asked,
  });
  return (
    <>
      {!data && (
        <button type="button" disabled={isFetching} onClick={() => setAsked(true)}>
          {isFetching ? 'Adding up…' : 'What would it do, cost and save?'}
        </button>
      )}
      {error && <Notice error={error} />}
      {data && <Sums plan={data} method={policy.method} />}
    </>
  );
}

function Sums({ plan: { files, bytes: size, ways, total }, method }: { plan: ArchivePlan; method: Policy['method'] }) {
  if (files === 0) return <p>Nothing is old enough, or all of it is archived.</p>;
  return (
    <>
      <p>{`${files} originals, ${bytes(size)}. By “${method}”: ${usd(total.cost)} once, then ${usd(total.savedPerMonth)} less a month; ${bytes(total.savedBytes)} less.`}</p>
      <Table
        name="Ways to archive"
        columns={['Way', 'Open to', 'Chosen for', 'Cost, once', 'Less a month', 'Fewer bytes']}
      >
        {ways.map((one) => (
          <tr key={one.way}>
            <th scope="row">{one.way}</th>
            <td>{one.files}</td>
            <td>{one.chosen}</td>
            <td>{usd(one.cost)}</td>
            <td>{usd(one.savedPerMonth)}</td>
            <td>{bytes(one.savedBytes)}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
