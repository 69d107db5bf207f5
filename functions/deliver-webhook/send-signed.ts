import { Webhook } from 'standardwebhooks';
import type { DeliveryAttempt, EndpointRow } from '../../core/contracts/table/webhooks.ts';
import { validSecrets } from '../../core/webhooks/secrets.ts';
import type { TargetRules } from '../../core/webhooks/target.ts';
import { post } from './post.ts';

/** Posts a payload to an endpoint, signed as Standard Webhooks with each secret that is valid now (milliseconds since the epoch). */
export async function sendSigned(
  endpoint: EndpointRow,
  { id, payload }: { id: string; payload: string },
  rules: TargetRules,
  now: number,
): Promise<DeliveryAttempt> {
  const at = new Date(now);
  const signatures = validSecrets(endpoint.secrets, at.toISOString()).map((secret) =>
    new Webhook(secret).sign(id, at, payload),
  );
  const started = performance.now();
  const outcome = await post(endpoint.url, {
    headers: {
      'content-type': 'application/json',
      'user-agent': 'dropreel-webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': signatures.join(' '),
    },
    body: payload,
    rules,
  });
  return { at: at.toISOString(), latencyMs: Math.round(performance.now() - started), ...outcome };
}

/** Whether a complete answer with a 2xx status arrived. */
export function isDelivered({ status, error }: DeliveryAttempt): boolean {
  return error === undefined && status !== undefined && status >= 200 && status < 300;
}
