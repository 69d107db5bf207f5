import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Answer } from '../../../../client/request.ts';
import { moment } from '../parts/format.ts';
import { messageOf, Notice } from '../parts/notice.tsx';
import { tell } from '../parts/toasts.tsx';
import { useSession } from '../use-session.ts';

type Webhook = Answer<'listWebhooks'>['items'][number];

const SHOWN = 10;

/** The last deliveries of everybody's endpoints, to be sent again. */
export function Deliveries() {
  const { client } = useSession();
  const { data, error } = useQuery({ queryKey: ['webhooks'], queryFn: () => client.call('listWebhooks') });
  return (
    <section>
      <h2>Webhook deliveries</h2>
      {error && <Notice error={error} />}
      {data?.items.length === 0 && (
        <p className="label">
          Nobody has an endpoint. <code>dropreel webhooks add https://…</code> makes one, which hears of each change.
        </p>
      )}
      {data?.items.map((endpoint) => (
        <Endpoint key={endpoint.id} endpoint={endpoint} />
      ))}
      {data?.more && <p className="label">There are more: of the first 500 creators these are all.</p>}
    </section>
  );
}

function Endpoint({ endpoint: { id, url, state, enabled, creatorId, ping } }: { endpoint: Webhook }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{`${creatorId}: ${url}, ${enabled ? state : 'disabled'}`}</summary>
      {state === 'unverified' && (
        <p className="label">
          {`It gets nothing until it has answered a ping with 2xx. ${ping?.error ?? (ping?.status ? `It answered ${ping.status}.` : '')}`}
        </p>
      )}
      {open && <Log id={id} creatorId={creatorId} />}
    </details>
  );
}

function Log({ id, creatorId }: Pick<Webhook, 'id' | 'creatorId'>) {
  const { client } = useSession();
  const queries = useQueryClient();
  const query = { creatorId };
  const { data, error } = useQuery({
    queryKey: ['deliveries', id],
    queryFn: () => client.call('listDeliveries', { id, query: { ...query, limit: SHOWN } }),
  });
  const run = async (work: () => Promise<string>) => {
    try {
      tell(await work());
      await queries.invalidateQueries({ queryKey: ['deliveries', id] });
    } catch (cause) {
      tell(messageOf(cause));
    }
  };
  const replay = async (deliveryId: string) => {
    await client.call('replayDelivery', { id, deliveryId, query });
    return 'It is sent again.';
  };
  const replayAll = async () => {
    const { replayed, more } = await client.call('replayFailed', { id, query });
    return `${replayed} are sent again${more ? '; there are more: ask once more' : ''}.`;
  };
  return (
    <>
      {error && <Notice error={error} />}
      {data?.items.length === 0 && <p className="label">Nothing was sent in the last 30 days.</p>}
      {data?.items.some(({ status }) => status === 'failed') && (
        <button type="button" onClick={() => void run(replayAll)}>
          Send all that failed again
        </button>
      )}
      <ul>
        {data?.items.map(({ id: deliveryId, event, status, attempts, log, createdAt }) => (
          <li key={deliveryId} className="row">
            <span>{`${event}: ${status}, ${attempts} attempts${outcomeOf(log)}`}</span>
            <span className="label">{moment(createdAt)}</span>
            <button
              type="button"
              className="quiet"
              aria-label={`Send ${event} of ${moment(createdAt)} again`}
              onClick={() => void run(() => replay(deliveryId))}
            >
              Send again
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What the receiver answered last. */
function outcomeOf(log: Answer<'listDeliveries'>['items'][number]['log']): string {
  const last = log.at(-1);
  if (!last) return '';
  return `, ${last.error ?? `answer ${last.status}`} after ${last.latencyMs} ms`;
}
