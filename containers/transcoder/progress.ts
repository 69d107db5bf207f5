import type { JobProgress } from '../../core/contracts/events.ts';
import { log } from './log.ts';

type Detail = JobProgress['detail'];
type Phase = Detail['phase'];

/** Least milliseconds between two events that finish no step. */
const EVERY = 2000;
/** Milliseconds after which an event is sent even without progress: it is the job's heartbeat. */
const HEARTBEAT = 30_000;

/** The share of each phase in the whole job, in percent: where it begins and ends. */
const SHARES: Readonly<Record<Phase, readonly [number, number]>> = {
  pulling: [0, 8],
  probing: [8, 9],
  transcoding: [9, 85],
  verifying: [85, 92],
  pushing: [92, 100],
  done: [100, 100],
};

/** Of the job, once it is encoded. */
export const ENCODED_PERCENT = SHARES.transcoding[1];

export interface Progress {
  at(phase: Phase, fraction: number, speed?: number): void;
  step(step: NonNullable<Detail['step']>): void;
  /** Tells at once that a piece for a growing version is there. */
  piece(): void;
  /** Sends what is pending, and nothing after that. Waits for at most a few seconds. */
  close(): Promise<void>;
}

/**
 * Reports the job's progress: at most one event each 2 s, one for each finished step, a heartbeat in between. The percent
 * never falls. Nothing is sent before the first call, because until then another engine job may have the claim. A report that
 * cannot be sent is logged and dropped: the job does not depend on it.
 * @param from Percent of the job that others have done.
 */
export function reportProgress(
  put: (report: Detail) => Promise<void>,
  job: Pick<Detail, 'jobId' | 'engineJobId' | 'attempt' | 'part' | 'child'>,
  from = 0,
): Progress {
  let state: Pick<Detail, 'phase' | 'percent' | 'speed'> = { phase: 'pulling', percent: from };
  let changed = true;
  let lastSent = 0;
  let sending: Promise<void> = Promise.resolve();
  const send = (step?: Detail['step'], more: Partial<Detail> = {}) => {
    changed = false;
    lastSent = Date.now();
    const at = new Date().toISOString();
    const detail = { ...job, ...state, at, ...(step ? { step } : {}), ...more } satisfies Detail;
    sending = sending
      .then(() => put(detail))
      .catch((error: unknown) => log('warn', 'progress event lost', { error: String(error) }));
  };
  const due = () => (changed ? EVERY : HEARTBEAT);
  let timer: NodeJS.Timeout | undefined;
  return {
    at(phase, fraction, speed) {
      timer ??= setInterval(() => {
        if (Date.now() - lastSent >= due()) send();
      }, 250).unref();
      const [from, to] = SHARES[phase];
      const percent = Math.max(state.percent, Math.round((from + (to - from) * fraction) * 10) / 10);
      changed ||= phase !== state.phase || percent !== state.percent;
      state = { phase, percent, ...(speed === undefined ? {} : { speed }) };
      if (changed && Date.now() - lastSent >= EVERY) send();
    },
    step: (step) => send(step),
    piece() {
      if (job.child) send(undefined, { child: { ...job.child, piece: true } });
    },
    async close() {
      clearInterval(timer);
      if (timer && changed) send();
      await sending;
    },
  };
}
