/**
 * Breaks a local cloud on purpose, by a plan.
 *
 *     const faults = createFaults([
 *       { call: { service: 's3', operation: 'PutObject', principal: 'Worker' }, nth: 3, moment: 'after',
 *         do: { type: 'fail', code: 'InternalError', status: 500 } },
 *       { event: { 'detail-type': 'Job Progress', detail: { step: 'transcoded' } }, nth: 1, do: { type: 'kill', cause: 'SIGKILL' } },
 *     ]);
 *     createCalls({ …, hooks: faults.hooks });          // local/gateway/calls.ts
 *     createEvents(…, { deliver: faults.deliver(createDeliver(…)), … });
 *     faults.control(controlOf(cloud));                 // once it is up
 *     faults.fired                                       // what has happened, for the test to check
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Batch } from '../batch/service.ts';
import type { Call, Hooks } from '../gateway/calls.ts';
import type { Lambda } from '../lambda/lambda.ts';
import { AwsError, type Principal } from '../service.ts';
import type { Deliver } from '../targets.ts';
import { type CallFault, type EventFault, FaultPlan, isDue } from './plan.ts';
import { throttlingError } from './throttling.ts';

type KillCause = Extract<CallFault['do'], { type: 'kill' }>['cause'];

/** What faults may do to the cloud that they are in. */
export interface Control {
  /** Ends the running jobs in this way. Need not wait for their end. */
  kill(cause: KillCause): void;
  /** Kills the processes of the functions whose name has this part. */
  stopFunction(name: string): void;
  crash(): void;
}

/** The control of a cloud as `bootCloud` gives it, with the names of its functions. */
export function controlOf(
  cloud: { batch: Pick<Batch, 'running' | 'kill'>; lambda: Pick<Lambda, 'kill'>; crash(): Promise<void> },
  functionNames: readonly string[],
): Control {
  return {
    kill(cause) {
      // One that has just ended by itself is no failure.
      for (const jobId of cloud.batch.running()) void cloud.batch.kill(jobId, cause).catch(() => {});
    },
    stopFunction(part) {
      for (const name of functionNames) if (name.includes(part)) cloud.lambda.kill(name);
    },
    crash: () => void cloud.crash(),
  };
}

export interface Faults {
  hooks: Hooks;
  /** Event delivery with the plan's event faults in front of it. */
  deliver(deliver: Deliver): Deliver;
  control(control: Control): void;
  /** Faults that have happened, in their order: index in the plan, and the call or event. */
  fired: { fault: number; what: string }[];
}

const LONGEST_HOLD_MS = 5000;

/** @throws ZodError when the plan is not one */
export function createFaults(plan: FaultPlan): Faults {
  const parsed = FaultPlan.parse(plan);
  const fired: Faults['fired'] = [];
  const counts = parsed.map(() => 0);
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
      case 'kill':
        control?.kill(action.cause);
        // A dead caller gets no answer, and its call takes no effect; one with notice goes on.
        if (action.cause !== 'reclaim') throw new AwsError('ServiceUnavailable', 503, 'The caller was killed');
        return;
      case 'stop-function':
        control?.stopFunction(action.name);
        throw new AwsError('ServiceUnavailable', 503, 'The caller was stopped');
      case 'crash':
        control?.crash();
        await never();
    }
  }

  return {
    fired,
    hooks: { before: (call) => onCall('before', call), after: (call) => onCall('after', call) },
    control(given) {
      control = given;
    },
    deliver: (deliver) => async (targetArn, payload, principal) => {
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
          case 'kill':
            control?.kill(fault.do.cause);
            break;
          case 'stop-function':
            control?.stopFunction(fault.do.name);
            break;
          case 'crash':
            control?.crash();
            await never();
        }
      }
      await deliver(targetArn, payload, principal);
      for (const release of released) release();
    },
  };
}

function matchesCall({ call: wanted }: CallFault, call: Call): boolean {
  return (
    wanted.service === call.service &&
    (wanted.operation === undefined || wanted.operation === call.operation) &&
    (wanted.principal === undefined || nameOf(call.principal).includes(wanted.principal))
  );
}

function nameOf(principal: Principal): string {
  if (principal.type === 'role') return principal.arn;
  return principal.type === 'service' ? principal.service : principal.type;
}

function matchesEvent({ event: wanted }: EventFault, targetArn: string, payload: string): boolean {
  const event: unknown = JSON.parse(payload);
  if (typeof event !== 'object' || event === null) return false;
  const detail = 'detail' in event && typeof event.detail === 'object' ? { ...event.detail } : {};
  const has = (name: string, value: string | undefined) =>
    value === undefined || (event as Record<string, unknown>)[name] === value;
  return (
    has('source', wanted.source) &&
    has('detail-type', wanted['detail-type']) &&
    (wanted.target === undefined || targetArn.includes(wanted.target)) &&
    Object.entries(wanted.detail).every(
      ([name, value]) => JSON.stringify((detail as Record<string, unknown>)[name]) === JSON.stringify(value),
    )
  );
}

/** A cloud that has crashed answers nobody. */
function never(): Promise<never> {
  return new Promise(() => {});
}
