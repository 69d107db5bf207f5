/**
 * Breaks a local cloud on purpose, by a plan.
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
import type { Shortage } from '../batch/attempt.ts';
import type { Batch } from '../batch/service.ts';
import type { Call, Hooks } from '../gateway/calls.ts';
import type { Lambda } from '../lambda/lambda.ts';
import { AwsError, type Principal } from '../service.ts';
import type { Deliver } from '../targets.ts';
import { atByte } from './bytes.ts';
import { matchesCall, matchesEvent, matchesPrincipal } from './match.ts';
import { type CallFault, FaultPlan, isDue, type Strike } from './plan.ts';
import { throttlingError } from './throttling.ts';

type KillCause = Extract<Strike, { type: 'kill' }>['cause'];

/** Those have notice, SIGTERM: they go on for a while. */
const WITH_NOTICE: ReadonlySet<KillCause> = new Set(['reclaim', 'terminate']);

/** What faults may do to the cloud that they are in. */
export interface Control {
  /** Ends the running jobs in this way. Need not wait for their end. */
  kill(cause: KillCause): void;
  /** Makes the disks of the running jobs full. */
  fillDisks(): Promise<void>;
  /** Kills the processes of the functions whose name has this part. */
  stopFunction(name: string): void;
  crash(): void;
}

/** The control of a cloud as `bootCloud` gives it, with the names of its functions. */
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
      // One that has just ended by itself is no failure.
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
  /** Begins anew with another plan. @throws ZodError when it is not one */
  arm(plan: FaultPlan): void;
  hooks: Required<Hooks>;
  /** What the attempt of a job that starts now is to lack. */
  shortageOf(jobName: string): Shortage;
  /** Event delivery with the plan's event faults in front of it. */
  deliver(deliver: Deliver): Deliver;
  control(control: Control): void;
  /** Faults of the plan that have happened, in their order: index in the plan, and the call, event, bytes or job. */
  fired: { fault: number; what: string }[];
}

const LONGEST_HOLD_MS = 5000;

/** @throws ZodError when the plan is not one */
export function createFaults(plan: FaultPlan): Faults {
  let parsed = FaultPlan.parse(plan);
  const fired: Faults['fired'] = [];
  /** Of what each fault waits for. */
  const counts: number[] = [];
  /** Deliveries that wait for the next of their kind, by the fault. */
  const held = new Map<number, () => void>();
  let control: Control | undefined;

  function due(index: number, nth: CallFault['nth'], what: string): boolean {
    const count = (counts[index] ?? 0) + 1;
    counts[index] = count;
    if (!isDue(nth, count)) return false;
    fired.push({ fault: index, what });
    return true;
  }

  /** True when whoever was at it is dead by now. */
  async function strike(action: Strike): Promise<boolean> {
    switch (action.type) {
      case 'kill':
        control?.kill(action.cause);
        return !WITH_NOTICE.has(action.cause);
      case 'fill-disk':
        await control?.fillDisks();
        return false;
      case 'stop-function':
        control?.stopFunction(action.name);
        return true;
      case 'crash':
        control?.crash();
        return never();
    }
  }

  async function onCall(moment: 'before' | 'after', call: Call): Promise<void> {
    for (const [index, fault] of parsed.entries()) {
      if (!('call' in fault) || fault.moment !== moment || !matchesCall(fault, call)) continue;
      if (due(index, fault.nth, `${call.service}:${call.operation}`)) await breakCall(fault.do, call);
    }
  }

  async function breakCall(action: CallFault['do'], call: Call): Promise<void> {
    switch (action.type) {
      case 'fail':
        throw new AwsError(action.code, action.status, action.message);
      case 'throttle':
        throw throttlingError(call.service);
      case 'delay':
        await wait(action.ms);
        return;
      default:
        // A dead caller gets no answer, and its call takes no effect.
        if (await strike(action)) throw new AwsError('ServiceUnavailable', 503, 'The caller was killed');
    }
  }

  function onBody(principal: Principal, direction: 'pulled' | 'pushed', body: Readable): Readable {
    let passed = body;
    for (const [index, fault] of parsed.entries()) {
      if (!('bytes' in fault) || fault.bytes.direction !== direction) continue;
      if (!matchesPrincipal(fault.bytes.principal, principal)) continue;
      const count = (bytes: number) => {
        const before = counts[index] ?? 0;
        counts[index] = before + bytes;
        return before < fault.bytes.at && before + bytes >= fault.bytes.at;
      };
      passed = atByte(passed, count, () => {
        fired.push({ fault: index, what: `${direction} ${fault.bytes.at} bytes` });
        return strike(fault.do);
      });
    }
    return passed;
  }

  async function onEvent(deliver: Deliver, ...[targetArn, payload, principal]: Parameters<Deliver>): Promise<void> {
    const released: (() => void)[] = [];
    for (const [index, fault] of parsed.entries()) {
      if (!('event' in fault) || !matchesEvent(fault, targetArn, payload)) continue;
      const release = held.get(index);
      if (release) {
        held.delete(index);
        released.push(release);
      }
      if (!due(index, fault.nth, `${targetArn} ${payload}`)) continue;
      switch (fault.do.type) {
        case 'drop':
          return;
        case 'duplicate':
          await deliver(targetArn, payload, principal);
          break;
        case 'delay':
          await wait(fault.do.ms);
          break;
        case 'reorder':
          await Promise.race([
            new Promise<void>((resolve) => held.set(index, resolve)),
            wait(LONGEST_HOLD_MS, undefined, { ref: false }),
          ]);
          break;
        default:
          await strike(fault.do);
      }
    }
    await deliver(targetArn, payload, principal);
    for (const release of released) release();
  }

  return {
    fired,
    arm(next) {
      parsed = FaultPlan.parse(next);
      fired.length = 0;
      counts.length = 0;
      held.clear();
    },
    hooks: { before: (call) => onCall('before', call), after: (call) => onCall('after', call), body: onBody },
    shortageOf(jobName) {
      const shortage: Shortage = {};
      for (const [index, fault] of parsed.entries()) {
        if (!('attempt' in fault) || !due(index, fault.attempt, `attempt of ${jobName}`)) continue;
        if (fault.do.type === 'memory') shortage.memoryMiB = fault.do.MiB;
        else shortage.diskBytes = fault.do.bytes;
      }
      return shortage;
    },
    control(given) {
      control = given;
    },
    deliver: (deliver) => (targetArn, payload, principal) => onEvent(deliver, targetArn, payload, principal),
  };
}

/** A cloud that has crashed answers nobody. */
function never(): Promise<never> {
  return new Promise(() => {});
}
