import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Answer } from '../../../../client/request.ts';
import { moment } from '../parts/format.ts';
import { messageOf } from '../parts/notice.tsx';
import { tell } from '../parts/toasts.tsx';
import { useSession } from '../use-session.ts';

type Webhook = Answer<'listWebhooks'>['items'][number];

const SHOWN = 10;

/** The last deliveries of one's own endpoints, to be sent again. */
export function Deliveries() {
  const { client } = useSession();
  const { data } = useQuery({ queryKey: ['webhooks'], queryFn: () => client.call('listWebhooks') });
  if (!data) return null;
  return (
    <section>
      <h2>Webhook deliveries</h2>
      {data.items.length === 0 && <p className="label">You have no endpoints.</p>}
      {data.items.map((endpoint) => (
        <Endpoint key={endpoint.id} endpoint={endpoint} />
      ))}
    </section>
  );
}

function Endpoint({ endpoint: { id, url, state } }: { endpoint: Webhook }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: ['deliveries', id],
    queryFn: () => client.call('listDeliveries', { id, query: { limit: SHOWN } }),
  });
  const replay = async (deliveryId: string) => {
    try {
      await client.call('replayDelivery', { id, deliveryId });
      tell('It is sent again.');
      await queries.invalidateQueries({ queryKey: ['deliveries', id] });
    } catch (error) {
      tell(messageOf(error));
    }
  };
  return (
    <details>
      <summary>{`${url}: ${state}`}</summary>
      <ul>
        {data?.items.map((delivery) => (
          <li key={delivery.id} className="row">
            <span>{`${delivery.event}: ${delivery.status}, ${delivery.attempts} attempts`}</span>
            <span className="label">{moment(delivery.createdAt)}</span>
            <button type="button" className="quiet" onClick={() => void replay(delivery.id)}>
              Send again
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
