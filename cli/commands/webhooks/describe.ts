import type { DeliveryView, WebhookView, WebhookWithSecret } from '../../../core/contracts/http/webhooks.ts';
import { fields, table } from '../../table.ts';

export function describeWebhook(webhook: WebhookView): string {
  return fields([
    ['id', webhook.id],
    ['url', webhook.url],
    ['events', webhook.events.join(' ') || 'all'],
    ['enabled', webhook.enabled ? 'yes' : 'no'],
    ['state', stateOf(webhook)],
    ['secrets', String(webhook.secrets)],
  ]);
}

export function withSecret(webhook: WebhookWithSecret): string {
  return `${describeWebhook(webhook)}\nsecret   ${webhook.secret}   (shown this once)`;
}

/** With the last answer of each, when it came, and when the next try is. */
export function describeDeliveries(items: readonly DeliveryView[]): string {
  return table(
    ['DELIVERY', 'EVENT', 'STATUS', 'TRIES', 'LAST', 'ANSWER', 'MS', 'NEXT'],
    items.map(({ id, event, status, attempts, log, nextAttemptAt = '' }) => {
      const last = log.at(-1);
      const answer = last ? String(last.status ?? last.error ?? '') : '';
      return [
        id,
        event,
        status,
        String(attempts),
        last?.at ?? '',
        answer,
        String(last?.latencyMs ?? ''),
        nextAttemptAt,
      ];
    }),
  );
}

function stateOf({ id, state, ping }: WebhookView): string {
  if (state === 'active') return 'active';
  const answer = ping ? `its ping got ${ping.error ?? ping.status}` : 'no answer to its ping yet';
  return `unverified: ${answer}; it gets nothing until it answers 2xx. Then: dropreel webhooks verify ${id}`;
}
