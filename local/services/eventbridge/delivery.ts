import type { ServiceContext } from '../../kernel/account.ts';
import type { InternalCall } from '../../kernel/aws-json.ts';
import { AwsError, type Principal } from '../../kernel/service.ts';
import type { Sqs } from '../sqs/service.ts';
import type { Deliver } from './targets.ts';

/** A payload to deliver, and the limits of its attempts. */
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

/** AWS backs off exponentially with jitter and gives no figures; the longest of these waits is short compared to a day. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 300_000;

export interface Deliverer {
  /** Resolves when the payload was delivered, is in the dead letters, or was given up. Rejects only after `close`. */
  run(delivery: Delivery): Promise<void>;
  /** Stops all retries; running deliveries reject when their current attempt ends. */
  close(): void;
}

/** Retries like EventBridge and its Scheduler: transient errors until a limit, permanent ones not at all. */
export function createDeliverer(
  context: ServiceContext,
  services: { deliver: Deliver; sqs: Sqs; call: InternalCall },
): Deliverer {
  const { clock, log } = context;
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
