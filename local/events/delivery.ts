import type { Surroundings } from '../account.ts';
import type { InternalCall } from '../aws-json.ts';
import { AwsError, type Principal } from '../service.ts';
import type { Sqs } from '../sqs/service.ts';
import type { Deliver } from '../targets.ts';

/** What is to be delivered, and for how long it is tried. */
export interface Delivery {
  /** For the log: `rule ingest → arn:aws:sqs:…` */
  label: string;
  targetArn: string;
  payload: string;
  principal: Principal;
  /** Milliseconds since the epoch. */
  acceptedAt: number;
  maxRetries: number;
  /** Seconds. */
  maxAge: number;
  deadLetter?: { arn: string; attributes: Readonly<Record<string, string>> };
}

/** AWS backs off exponentially with jitter and says no numbers; the longest of these is short against a day. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 300_000;

export interface Deliverer {
  /** Resolves when the payload has arrived, is in the dead letters, or was given up. Rejects only once closed. */
  run(delivery: Delivery): Promise<void>;
  /** No delivery is tried again; those at work reject when their present try ends. */
  close(): void;
}

/** Retries as EventBridge and its Scheduler do: what a try could mend, again and again; what it can't, not once. */
export function createDeliverer(
  surroundings: Surroundings,
  services: { deliver: Deliver; sqs: Sqs; call: InternalCall },
): Deliverer {
  const { clock, log } = surroundings;
  const closing = new AbortController();

  const pause = (ms: number) =>
    new Promise<void>((resolve, reject) => {
      const cancel = clock.after(ms, resolve);
      const stop = () => {
        cancel();
        reject(new Error('closed'));
      };
      if (closing.signal.aborted) stop();
      closing.signal.addEventListener('abort', stop, { once: true });
    });

  async function giveUp(delivery: Delivery, error: AwsError, retries: number): Promise<void> {
    const { label, deadLetter, principal, payload } = delivery;
    log(`${label} failed after ${retries} retries: ${error.code}: ${error.message}`);
    if (!deadLetter) return;
    const attributes = {
      ...deadLetter.attributes,
      TARGET_ARN: delivery.targetArn,
      ERROR_CODE: error.code,
      ERROR_MESSAGE: error.message,
      RETRY_ATTEMPTS: String(retries),
      ...(error.status >= 500 && {
        EXHAUSTED_RETRY_CONDITION: retries < delivery.maxRetries ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts',
      }),
    };
    const values = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    );
    try {
      await services.call({ service: 'sqs', operation: 'SendMessage', principal }, (caller) =>
        services.sqs.send(deadLetter.arn, payload, caller, values),
      );
    } catch (failure) {
      log(`${label}: the dead letter was lost: ${String(failure)}`);
    }
  }

  return {
    async run(delivery) {
      for (let retries = 0; ; retries++) {
        closing.signal.throwIfAborted();
        try {
          return await services.deliver(delivery.targetArn, delivery.payload, delivery.principal);
        } catch (cause) {
          if (closing.signal.aborted) throw cause;
          const error = cause instanceof AwsError ? cause : new AwsError('INTERNAL_ERROR', 500, String(cause));
          const wait = Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS) * (0.5 + Math.random() / 2);
          const tooOld = clock.now() + wait - delivery.acceptedAt > delivery.maxAge * 1000;
          const worthIt = error.status >= 500 || error.status === 429;
          if (!worthIt || retries >= delivery.maxRetries || tooOld) return giveUp(delivery, error, retries);
          await pause(wait);
        }
      }
    },
    close: () => closing.abort(),
  };
}
