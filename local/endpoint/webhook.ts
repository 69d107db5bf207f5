import type { Timer } from '../kernel/clock.ts';
import type { Behaviour } from './behaviour.ts';
import type { EndpointJob } from './jobs.ts';

/** Attempts, and milliseconds between them. https://docs.runpod.io/serverless/endpoints/send-requests */
const TRIES = 3;
const PAUSE_MS = 10_000;

/** Calls the webhook of a job that has completed or failed. The body echoes the input; nothing is signed. */
export async function notify(
  job: EndpointJob,
  { behaviour, clock, log }: { behaviour: Behaviour; clock: Timer; log: (line: string) => void },
): Promise<void> {
  const { id, input, output, error, status, webhook } = job;
  if (webhook === undefined) return;
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  await pause(behaviour.lateMs);
  for (let call = 0; call < behaviour.webhooks; call++) {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const answered = await fetch(webhook, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ id, input, output, error, status, webhook }),
        signal: AbortSignal.timeout(PAUSE_MS),
      }).catch(() => undefined);
      if (answered?.status === 200) break;
      log(`endpoint: the webhook of ${id} was answered ${answered?.status ?? 'not at all'}`);
      await pause(PAUSE_MS);
    }
  }
}
