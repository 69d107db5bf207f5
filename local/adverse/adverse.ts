/**
 * The worst behaviour that AWS allows, by a seed: every call takes time, messages and events arrive twice or out of order,
 * indexes and lists lag behind writes, and two runs of one schedule overlap.
 *
 *     const cloud = await bootCloud({ …, adverse: { seed: 7 } });
 *
 * AWS documents all of it, but it happens far more often here. Each decision depends on the seed, the
 * kind of occasion and its number within that kind, so the same seed makes the same decisions whatever else runs.
 */

import type { GatewayCall, Hooks } from '../gateway/hooks.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Deliver } from '../services/eventbridge/targets.ts';
import { Decisions, type Roll } from './decisions.ts';
import { latencyOf, type Range } from './latencies.ts';

export interface AdverseOptions {
  /** A whole number. */
  seed: number;
}

/** Share of all occasions. Guesses: AWS says "rarely" or gives no figure. */
const OFTEN = { messageTwice: 1 / 6, messageLate: 1 / 4, eventTwice: 1 / 6, eventLate: 1 / 4, batchTwice: 1 / 6 };
/** Share of direct invocations of a function, such as those of schedules. */
const RUN_TWICE = 1 / 2;

/** Milliseconds. Later SQS messages or events overtake a late one. */
const LATE: Range = [100, 1500];
/** Milliseconds until the second delivery: short enough that both can be processed at once, long enough that the first may have ended. */
const AGAIN: Range = [20, 2500];
/** After that time without a call, no delayed or duplicate delivery is pending any more. */
export const LONGEST_HOLD_MS = LATE[1] + AGAIN[1];
/** "Write operations propagate to a GSI within 1 second": https://repost.aws/knowledge-center/dynamodb-missing-table-items-gsi */
const INDEX_LAG: Range = [20, 500];
/** During a transaction's two phases, other writes to its items are refused. AWS gives no figure. A guess. */
const TRANSACTION: Range = [6, 21];
/** ListJobs is eventually consistent; AWS gives no figure. A guess. */
const LIST_LAG: Range = [50, 800];

export interface Adverse {
  /** Latencies around each call, outside the `inner` hooks (faults). */
  hooks(inner?: Hooks): Hooks;
  /** Delivers events late, twice, or two at once. */
  deliver(inner: Deliver): Deliver;
  /** Milliseconds for which a sent message cannot be received yet, in addition to its own delay. */
  holdOf(queueArn: string): number;
  /** Milliseconds after which a message that is received now is delivered once more, deleted or not; undefined: it is not. */
  againAfter(queueArn: string): number | undefined;
  /** Whether a processed batch of a stream's records is passed to its function once more. */
  repeats(mapping: string): boolean;
  /** Milliseconds after which a write can be read by the table's indexes. */
  indexLag(table: string): number;
  /** Duration of a DynamoDB transaction in milliseconds. */
  transactionTime(): number;
  /** Milliseconds during which lists of jobs omit a submitted job. */
  listLag(): number;
}

export function createAdverse({ seed }: AdverseOptions, clock: Clock): Adverse {
  const decisions = new Decisions(seed);
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));

  /** Half of a call's latency passes before it takes effect, the other half before its caller gets the answer. */
  async function halfOf(call: GatewayCall, moment: string): Promise<void> {
    const range = latencyOf(call.service, call.operation);
    if (!range || isExempt(call)) return;
    const roll = decisions.next(`${moment} ${call.service}:${call.operation} ${callerOf(call)}`);
    await wait(within(range, roll('latency')) / 2);
  }

  return {
    hooks: (inner) => ({
      before: async (call) => {
        await halfOf(call, 'before');
        await inner?.before?.(call);
      },
      after: async (call) => {
        await inner?.after?.(call);
        await halfOf(call, 'after');
      },
      ...(inner?.body && { body: inner.body.bind(inner) }),
    }),
    deliver: (inner) => async (targetArn, payload, principal) => {
      const roll = decisions.next(`deliver ${targetArn}`);
      const deliver = () => inner(targetArn, payload, principal);
      if (targetArn.split(':')[2] === 'lambda') {
        await (roll('twice') < RUN_TWICE ? Promise.all([deliver(), deliver()]) : deliver());
        return;
      }
      if (roll('late') < OFTEN.eventLate) await wait(within(LATE, roll('lateness')));
      await deliver();
      if (roll('twice') >= OFTEN.eventTwice) return;
      // Not awaited: the first delivery has reported the outcome.
      void wait(within(AGAIN, roll('again')))
        .then(deliver)
        .catch(() => {});
    },
    holdOf: (queueArn) => sometimes(decisions.next(`send ${queueArn}`), OFTEN.messageLate, LATE) ?? 0,
    againAfter: (queueArn) => sometimes(decisions.next(`receive ${queueArn}`), OFTEN.messageTwice, AGAIN),
    repeats: (mapping) => decisions.next(`batch ${mapping}`)('twice') < OFTEN.batchTwice,
    indexLag: (table) => within(INDEX_LAG, decisions.next(`index ${table}`)('lag')),
    transactionTime: () => within(TRANSACTION, decisions.next('transaction')('time')),
    listLag: () => within(LIST_LAG, decisions.next('list of jobs')('lag')),
  };
}

/** Calls of observers are not part of a run, and a poll lasts as long as its caller asks for. */
function isExempt({ principal, operation }: GatewayCall): boolean {
  return principal.type === 'developer' || operation === 'ReceiveMessage';
}

function callerOf({ principal }: GatewayCall): string {
  if (principal.type === 'role') return principal.arn;
  return principal.type === 'service' ? principal.service : principal.type;
}

function within([least, most]: Range, share: number): number {
  return least + share * (most - least);
}

function sometimes(roll: Roll, often: number, range: Range): number | undefined {
  return roll('whether') < often ? within(range, roll('when')) : undefined;
}
