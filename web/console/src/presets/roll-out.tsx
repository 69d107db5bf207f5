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

const LOOK_MS = 5_000;
const SAMPLE_PERCENT = 1;

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
  const { data, error } = useQuery({
    queryKey: ['roll-out', name],
    queryFn: () =>
      client.call('getRollOut', { name }).catch((cause: unknown) => {
        if (cause instanceof RefusedError && cause.status === 404) return null;
        throw cause;
      }),
    // A built-in preset never changes, so there is nothing to roll out.
    enabled: !builtIn,
    refetchInterval: LOOK_MS,
  });
  const act = async () => {
    if (asked === 'begin') await client.call('rollOutPreset', { name, body: { samplePercent: SAMPLE_PERCENT } });
    else if (asked) await client.call('orderRollOut', { name, order: asked });
    await queries.invalidateQueries({ queryKey: ['roll-out', name] });
  };
  return (
    <section>
      <h2>Roll-out</h2>
      {error && <Notice error={error} />}
      {builtIn && <p className="label">A built-in preset is not rolled out.</p>}
      {data && <State view={data} />}
      {data === null && <p className="label">There has been none.</p>}
      <div className="row start">
        {!builtIn && (
          <button type="button" onClick={() => setAsked('begin')}>
            {`Roll version ${version} out`}
          </button>
        )}
        {data &&
          (Object.keys(ORDERS) as Order[]).map((order) => (
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
          verb={asked === 'begin' ? 'Encode a sample' : ORDERS[asked][0]}
          onDo={act}
          onClose={() => setAsked(null)}
        >
          <p>
            {asked === 'begin'
              ? `${SAMPLE_PERCENT} % of the media of the collections that have it, one at least, are encoded again within some minutes. Then it waits for you to look at them.`
              : ORDERS[asked][1]}
          </p>
          {asked === 'begin' && <WholeEstimate name={name} />}
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
        <strong>{`Version ${version}: ${state}`}</strong>
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
