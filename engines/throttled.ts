import { setTimeout as delay } from 'node:timers/promises';

const TRIES = 4;
const PAUSE_MS = 200;

/**
 * Submits again while AWS refuses the call for its rate: such a call had no effect. After any other error the job may be there, so that
 * clients which submit make one attempt.
 */
export async function whileThrottled<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      const throttled = error instanceof Error && error.name === 'TooManyRequestsException';
      if (!throttled || tries === TRIES) throw error;
      await delay(PAUSE_MS * 2 ** tries * Math.random());
    }
  }
}
