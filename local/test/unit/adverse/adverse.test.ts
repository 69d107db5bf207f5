import { describe, expect, it } from 'vitest';
import { createAdverse } from '../../../adverse/adverse.ts';
import { Decisions } from '../../../adverse/decisions.ts';
import { Clock } from '../../../kernel/clock.ts';
import type { Principal } from '../../../kernel/service.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:ingest';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:sweep';
const ROLE: Principal = { type: 'role', arn: 'arn:aws:iam::000000000000:role/ingest' };

const adverse = (seed: number) => createAdverse({ seed }, new Clock());
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('decisions', () => {
  it('are the same for the same seed, kind and number', () => {
    const [first, second] = [new Decisions(7), new Decisions(7)];
    const rolls = (decisions: Decisions) => times(3, () => decisions.next('receive')('twice').toFixed(6));
    expect(rolls(first)).toEqual(['0.003288', '0.630289', '0.175236']);
    expect(rolls(second)).toEqual(['0.003288', '0.630289', '0.175236']);
  });

  it('of one kind do not depend on decisions of another kind made in between', () => {
    const [alone, beside] = [new Decisions(7), new Decisions(7)];
    beside.next('send');
    const first = beside.next('receive')('twice');
    beside.next('send');
    expect([first, beside.next('receive')('twice')]).toEqual(times(2, () => alone.next('receive')('twice')));
  });

  it('differ from seed to seed', () => {
    const handedOutAgain = (seed: number) => {
      const one = adverse(seed);
      return times(40, () => one.againAfter(QUEUE) !== undefined);
    };
    expect(handedOutAgain(1)).not.toEqual(handedOutAgain(2));
  });
});

describe('an event that is sent to a function directly', () => {
  it('is delivered twice at once in some cases, and once in the others', async () => {
    let atWork = 0;
    const together: number[] = [];
    const deliver = adverse(7).deliver(async () => {
      atWork += 1;
      await Promise.resolve();
      together.push(atWork);
      await Promise.resolve();
      atWork -= 1;
    });
    for (let i = 0; i < 12; i++) await deliver(FUNCTION, '{}', ROLE);
    expect(new Set(together)).toEqual(new Set([1, 2]));
    expect(together.length).toBeGreaterThan(12);
  });
});

describe('events to a queue', () => {
  it('all arrive, some of them twice, and out of order', async () => {
    const clock = new Clock();
    const arrived: string[] = [];
    const deliver = createAdverse({ seed: 7 }, clock).deliver(async (_, payload) => {
      arrived.push(payload);
    });
    const sent = times(40, () => '').map((_, n) => String(n));
    const all = Promise.all(sent.map((payload) => deliver(QUEUE, payload, ROLE)));
    clock.advance(5000);
    await all;
    await new Promise((resolve) => setTimeout(resolve));
    clock.advance(5000);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([...new Set(arrived)].sort()).toEqual([...sent].sort());
    expect(arrived.length).toBeGreaterThan(40);
    expect([...new Set(arrived)]).not.toEqual(sent);
  });
});

describe('calls', () => {
  const latencyOf = async (service: string, operation: string, principal: Principal) => {
    const waited: number[] = [];
    const clock = new Clock();
    clock.after = (ms, callback) => {
      waited.push(ms);
      callback();
      return () => {};
    };
    const hooks = createAdverse({ seed: 7 }, clock).hooks();
    const call = { service, operation, principal, n: 1 };
    await hooks.before?.(call);
    await hooks.after?.(call);
    return waited;
  };

  it('are delayed, half of the time before they take effect', async () => {
    const [before = 0, after = 0] = await latencyOf('batch', 'SubmitJob', ROLE);
    expect(before + after).toBeGreaterThanOrEqual(100);
    expect(before + after).toBeLessThanOrEqual(200);
    expect(Math.min(before, after)).toBeGreaterThanOrEqual(50);
  });

  it('of the developer are not delayed', async () => {
    expect(await latencyOf('s3', 'GetObject', { type: 'developer' })).toEqual([]);
  });
});
