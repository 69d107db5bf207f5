import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { RefusedError } from '../../../../client/errors.ts';
import type { Answer } from '../../../../client/request.ts';
import { Confirm } from '../parts/confirm.tsx';
import { bytes, usd } from '../parts/format.ts';
import { Notice } from '../parts/notice.tsx';
import type { Preset } from '../use-presets.ts';
import { useSession } from '../use-session.ts';
import { Compare } from './compare.tsx';

type View = Answer<'getRollOut'>;
type Order = 'go-on' | 'stop' | 'put-back';

/** While it goes on by itself, a step every 5 minutes; otherwise it waits for people. */
const LOOK_MS = 10_000;
const IDLE_MS = 120_000;
const AT_WORK: readonly View['state'][] = ['sampling', 'going', 'putting-back'];
const SAMPLES = [1, 5, 20, 100];

/** How each state is told, and what may be ordered in it. */
const STATES: Readonly<Record<View['state'], readonly [told: string, orders: readonly Order[]]>> = {
  sampling: ['a sample is being encoded', ['stop']],
  waiting: ['it waits for you: look at the sample below, then go on or put it back', ['go-on', 'put-back']],
  going: ['the rest is being encoded', ['stop']],
  done: ['all are encoded', ['put-back']],
  stopped: ['stopped', ['go-on', 'put-back']],
  'putting-back': ['the versions from before are being put back', []],
  'put-back': ['put back', []],
};

const ORDERS: Readonly<Record<Order, readonly [name: string, what: string]>> = {
  'go-on': [
    'Go on with the rest',
    'All the others are encoded by this version too, as many at a time as the deployment allows.',
  ],
  stop: ['Stop', 'No further encode begins. What runs goes on to its end.'],
  'put-back': ['Put back', 'Viewers get the versions from before again, as long as these are kept (24 hours).'],
};

/** Encodes the media of a preset again: a sample first, with a report old against new. */
export function RollOut({ preset: { name, builtIn, version } }: { preset: Preset }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Order | 'begin' | null>(null);
  const [samplePercent, setSample] = useState(SAMPLES[0] ?? 1);
  const { data, error } = useQuery({
    queryKey: ['roll-out', name],
    queryFn: () =>
      client.call('getRollOut', { name }).catch((cause: unknown) => {
        if (cause instanceof RefusedError && cause.status === 404) return null;
        throw cause;
      }),
    // A built-in preset never changes, so there is nothing to roll out.
    enabled: !builtIn,
    refetchInterval: ({ state }) => (state.data && AT_WORK.includes(state.data.state) ? LOOK_MS : IDLE_MS),
  });
  const act = async () => {
    if (asked === 'begin') await client.call('rollOutPreset', { name, body: { samplePercent } });
    else if (asked) await client.call('orderRollOut', { name, order: asked });
    await queries.invalidateQueries({ queryKey: ['roll-out', name] });
  };
  return (
    <section>
      <h2>Roll-out</h2>
      {error && <Notice error={error} />}
      {builtIn && <p className="label">A built-in preset is not rolled out.</p>}
      {data && <State view={data} />}
      {data === null && (
        <p className="label">
          There has been none. After a change, it encodes what plays by the new version: a sample first, which is
          compared with the old one.
        </p>
      )}
      <div className="row start">
        {!builtIn && !(data && AT_WORK.includes(data.state)) && (
          <button type="button" onClick={() => setAsked('begin')}>
            {`Roll version ${version} out`}
          </button>
        )}
        {data &&
          STATES[data.state][1].map((order) => (
            <button key={order} type="button" onClick={() => setAsked(order)}>
              {ORDERS[order][0]}
            </button>
          ))}
      </div>
      {data?.report.map(({ mediaId, before, after }) => (
        <Compare key={mediaId} mediaId={mediaId} before={before} after={after} />
      ))}
      {asked && (
        <Confirm
          title={asked === 'begin' ? `Roll version ${version} of ${name} out?` : `${ORDERS[asked][0]}?`}
          verb={asked === 'begin' ? 'Begin' : ORDERS[asked][0]}
          onDo={act}
          onClose={() => setAsked(null)}
        >
          {asked === 'begin' ? (
            <>
              <label>
                How many first
                <select value={samplePercent} onChange={({ target }) => setSample(Number(target.value))}>
                  {SAMPLES.map((percent) => (
                    <option key={percent} value={percent}>
                      {percent === 100 ? 'all, without a sample' : `${percent} %, one at least`}
                    </option>
                  ))}
                </select>
              </label>
              <p>
                {samplePercent === 100
                  ? 'All media of the collections that have it are encoded again.'
                  : 'So many of the media of the collections that have it are encoded again within some minutes. Then it waits for you to look at them.'}
                {' It stops by itself when more than one in ten fail.'}
              </p>
              <WholeEstimate name={name} />
            </>
          ) : (
            <p>{ORDERS[asked][1]}</p>
          )}
        </Confirm>
      )}
    </section>
  );
}

/** What encoding all of them would take, of the first collections that have it. */
function WholeEstimate({ name }: { name: string }) {
  const { client } = useSession();
  const { data } = useQuery({
    queryKey: ['roll-out-estimate', name],
    queryFn: async () => {
      const { users } = await client.call('getPreset', { name });
      const estimates = (users?.collections ?? []).map(({ id: collectionId }) =>
        client.call('estimate', { body: { collectionId, outdated: true, preset: name } }),
      );
      const all = await Promise.all(estimates);
      const choices = all.flatMap(({ choice }) => choice);
      return {
        media: choices.reduce((sum, { media }) => sum + media, 0),
        usd: choices.reduce((sum, one) => sum + one.usd, 0),
        present: all.reduce((sum, one) => sum + one.bytes.present, 0),
        most: all.reduce((sum, one) => sum + one.bytes.most, 0),
        complete: (users?.more ?? 0) === 0 && all.every(({ complete }) => complete),
      };
    },
  });
  if (!data) return null;
  return (
    <p>
      {`All of them: ${data.complete ? '' : 'at least '}${data.media} media, ${usd(data.usd)}; ${bytes(data.present)} now, ${bytes(data.most)} if every cap is reached.`}
    </p>
  );
}

function State({ view }: { view: View }) {
  const { version, state, why, taken, underWay, done, failed, skipped, putBack, failures, report } = view;
  const sum = (which: 'before' | 'after') => report.reduce((total, one) => total + one[which].bytes, 0);
  return (
    <>
      <p>
        <strong>{`Version ${version}: ${STATES[state][0]}`}</strong>
        {why && `, because ${why}`}
      </p>
      <p>{`${taken} chosen, ${underWay} under way, ${done} done, ${failed} failed, ${skipped} passed over, ${putBack} put back.`}</p>
      {report.length > 0 && <p>{`Of those below: ${bytes(sum('before'))} became ${bytes(sum('after'))}.`}</p>}
      <ul>
        {failures.map(({ mediaId, code, message }) => (
          <li key={mediaId} className="why">
            <Link href={`/media/${mediaId}`}>{code}</Link> {message}
          </li>
        ))}
      </ul>
    </>
  );
}
