/**
 * Injects faults into a local cloud, by a plan.
 *
 *     const faults = createFaults([
 *       { call: { service: 's3', operation: 'PutObject', principal: 'Worker' }, nth: 3, moment: 'after',
 *         do: { type: 'fail', code: 'InternalError', status: 500 } },
 *       { event: { 'detail-type': 'Job Progress', detail: { step: 'transcoded' } }, nth: 1, do: { type: 'kill', cause: 'SIGKILL' } },
 *       { bytes: { direction: 'pulled', principal: 'Worker', at: 1_000_000 }, do: { type: 'kill', cause: 'SIGKILL' } },
 *       { attempt: 2, do: { type: 'memory', MiB: 64 } },
 *     ]);
 *     const cloud = await bootCloud({ …, faults });
 *     faults.fired                                       // what has happened, for the test to check
 */
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { GatewayCall, Hooks } from '../gateway/hooks.ts';
import { AwsError, type Principal } from '../kernel/service.ts';
import type { Shortage } from '../services/batch/attempt.ts';
import type { Batch } from '../services/batch/service.ts';
import type { Deliver } from '../services/eventbridge/targets.ts';
import type { Lambda } from '../services/lambda/lambda.ts';
import { atByte } from './bytes.ts';
import { matchesCall, matchesEvent, matchesPrincipal } from './match.ts';
import { type CallFault, type EventFault, FaultPlan, isDue, type Strike } from './plan.ts';
import { throttlingError } from './throttling.ts';

type KillCause = Extract<Strike, { type: 'kill' }>['cause'];

/** These causes give notice (SIGTERM): the job runs on for a while. */
const WITH_NOTICE: ReadonlySet<KillCause> = new Set(['reclaim', 'terminate']);

/** What faults can do to their cloud. */
export interface Control {
  /** Ends the running jobs with this cause. Need not wait for their end. */
  kill(cause: KillCause): void;
  /** Fills the disks of the running jobs. */
  fillDisks(): Promise<void>;
  /** Kills the processes of the functions whose name contains this text. */
  stopFunction(name: string): void;
  crash(): void;
}

/** The control of a cloud that `bootCloud` returned, with the names of its functions. */
export function controlOf(
  cloud: {
    batch: Pick<Batch, 'running' | 'kill' | 'fillDisk'>;
    lambda: Pick<Lambda, 'kill'>;
    crash(): Promise<void>;
  },
  functionNames: readonly string[],
): Control {
  const { batch, lambda } = cloud;
  return {
    kill(cause) {
      // A job that has just ended by itself is not a failure.
      for (const jobId of batch.running()) void batch.kill(jobId, cause).catch(() => {});
    },
    async fillDisks() {
      await Promise.all(batch.running().map((jobId) => batch.fillDisk(jobId)));
    },
    stopFunction(part) {
      for (const name of functionNames) if (name.includes(part)) lambda.kill(name);
    },
    crash: () => void cloud.crash(),
  };
}

export interface Faults {
  /**
   * Starts over with another plan.
   * @throws ZodError when the plan is invalid
   */
  arm(plan: FaultPlan): void;
  hooks: Required<Hooks>;
  /** Resources that the job attempt that starts now must lack. */
  shortageOf(jobName: string): Shortage;
  /** Event delivery with the plan's event faults applied first. */
  deliver(deliver: Deliver): Deliver;
  control(control: Control): void;
  /** Faults of the plan that have occurred, in order: index in the plan, and the call, event, bytes or job. */
  fired: { fault: number; what: string }[];
}

const LONGEST_HOLD_MS = 5000;

/** @throws ZodError when the plan is invalid */
export function createFaults(plan: FaultPlan): Faults {
  const running = new RunningPlan(plan);
  return {
    fired: running.fired,
    arm: (next) => running.arm(next),
    hooks: {
      before: (call) => running.onCall('before', call),
      after: (call) => running.onCall('after', call),
      body: (principal, direction, body) => running.onBody(principal, direction, body),
    },
    shortageOf: (jobName) => running.shortageOf(jobName),
    control: (control) => {
      running.control = control;
    },
    deliver: (deliver) => (targetArn, payload, principal) => running.onEvent(deliver, targetArn, payload, principal),
  };
}

/** A plan, and how far it has come. */
class RunningPlan {
  readonly fired: Faults['fired'] = [];
  control: Control | undefined;
  #faults: ReturnType<typeof FaultPlan.parse>;
  /** Number of matching occasions so far, by fault. */
  readonly #counts: number[] = [];
  /** Deliveries that wait for the next of their kind, by fault. */
  readonly #held = new Map<number, () => void>();

  constructor(plan: FaultPlan) {
    this.#faults = FaultPlan.parse(plan);
  }

  arm(next: FaultPlan): void {
    this.#faults = FaultPlan.parse(next);
    this.fired.length = 0;
    this.#counts.length = 0;
    this.#held.clear();
  }

  async onCall(moment: 'before' | 'after', call: GatewayCall): Promise<void> {
    for (const [index, fault] of this.#faults.entries()) {
      if (!('call' in fault) || fault.moment !== moment || !matchesCall(fault, call)) continue;
      if (this.#isDue(index, fault.nth, `${call.service}:${call.operation}`)) await this.#breakCall(fault.do, call);
    }
  }

  onBody(principal: Principal, direction: 'pulled' | 'pushed', body: Readable): Readable {
    let passed = body;
    for (const [index, fault] of this.#faults.entries()) {
      if (!('bytes' in fault) || fault.bytes.direction !== direction) continue;
      if (!matchesPrincipal(fault.bytes.principal, principal)) continue;
      const count = (bytes: number) => {
        const before = this.#counts[index] ?? 0;
        this.#counts[index] = before + bytes;
        return before < fault.bytes.at && before + bytes >= fault.bytes.at;
      };
      passed = atByte(passed, count, () => {
        this.fired.push({ fault: index, what: `${direction} ${fault.bytes.at} bytes` });
        return this.#strike(fault.do);
      });
    }
    return passed;
  }

  async onEvent(deliver: Deliver, ...[targetArn, payload, principal]: Parameters<Deliver>): Promise<void> {
    const released: (() => void)[] = [];
    for (const [index, fault] of this.#faults.entries()) {
      if (!('event' in fault) || !matchesEvent(fault, targetArn, payload)) continue;
      const release = this.#held.get(index);
      if (release) {
        this.#held.delete(index);
        released.push(release);
      }
      if (!this.#isDue(index, fault.nth, `${targetArn} ${payload}`)) continue;
      if (fault.do.type === 'drop') return;
      await this.#breakEvent(index, fault.do, () => deliver(targetArn, payload, principal));
    }
    await deliver(targetArn, payload, principal);
    for (const release of released) release();
  }

  shortageOf(jobName: string): Shortage {
    const shortage: Shortage = {};
    for (const [index, fault] of this.#faults.entries()) {
      if (!('attempt' in fault) || !this.#isDue(index, fault.attempt, `attempt of ${jobName}`)) continue;
      if (fault.do.type === 'memory') shortage.memoryMiB = fault.do.MiB;
      else shortage.diskBytes = fault.do.bytes;
    }
    return shortage;
  }

  #isDue(index: number, nth: CallFault['nth'], what: string): boolean {
    const count = (this.#counts[index] ?? 0) + 1;
    this.#counts[index] = count;
    if (!isDue(nth, count)) return false;
    this.fired.push({ fault: index, what });
    return true;
  }

  async #breakCall(action: CallFault['do'], call: GatewayCall): Promise<void> {
    switch (action.type) {
      case 'fail':
        throw new AwsError(action.code, action.status, action.message);
      case 'throttle':
        throw throttlingError(call.service);
      case 'delay':
        await wait(action.ms);
        return;
      default:
        // A dead caller gets no answer, and its call has no effect.
        if (await this.#strike(action)) throw new AwsError('ServiceUnavailable', 503, 'The caller was killed');
    }
  }

  /** What happens before the delivery. */
  async #breakEvent(
    index: number,
    action: Exclude<EventFault['do'], { type: 'drop' }>,
    deliver: () => Promise<void>,
  ): Promise<void> {
    switch (action.type) {
      case 'duplicate':
        return deliver();
      case 'delay':
        await wait(action.ms);
        return;
      case 'reorder':
        await Promise.race([
          new Promise<void>((resolve) => this.#held.set(index, resolve)),
          wait(LONGEST_HOLD_MS, undefined, { ref: false }),
        ]);
        return;
      default:
        await this.#strike(action);
    }
  }

  /** Returns true when the affected process is dead now. */
  async #strike(action: Strike): Promise<boolean> {
    switch (action.type) {
      case 'kill':
        this.control?.kill(action.cause);
        return !WITH_NOTICE.has(action.cause);
      case 'fill-disk':
        await this.control?.fillDisks();
        return false;
      case 'stop-function':
        this.control?.stopFunction(action.name);
        return true;
      case 'crash':
        this.control?.crash();
        return never();
    }
  }
}

/** A crashed cloud does not answer. */
function never(): Promise<never> {
  return new Promise(() => {});
}
