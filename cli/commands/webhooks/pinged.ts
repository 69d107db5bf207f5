import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../../client/client.ts';
import type { WebhookView } from '../../../core/contracts/http/webhooks.ts';

/** Somewhat longer than a receiver may take to answer. */
const WAIT_MS = 12_000;
const POLL_MS = 300;

/** The endpoint once its first ping was answered, or failed; as it is after 12 s. */
export async function pinged(api: Client, webhook: WebhookView): Promise<WebhookView> {
  const until = Date.now() + WAIT_MS;
  let known = webhook;
  while (known.enabled && known.state === 'unverified' && !known.ping && Date.now() < until) {
    await delay(POLL_MS);
    known = await api.call('getWebhook', { id: webhook.id });
  }
  return known;
}
