import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Control, controlOf, createFaults } from '../../../faults/faults.ts';
import type { FaultPlan } from '../../../faults/plan.ts';
import { createCalls } from '../../../gateway/calls.ts';
import { Meter } from '../../../kernel/meter.ts';
import { AwsError, type Principal } from '../../../kernel/service.ts';
import { startWorld } from '../../support/batch-world.ts';

const WORKER: Principal = { type: 'role', arn: 'arn:aws:iam::123456789012:role/Worker' };
const API: Principal = { type: 'role', arn: 'arn:aws:iam::123456789012:role/Api' };

/** Calls through the gateway's own path; `took` is what had an effect. */
function world(plan: FaultPlan) {
  const faults = createFaults(plan);
  const policies = { decide: () => ({ allowed: true }) } as unknown as Parameters<typeof createCalls>[0]['policies'];
  const calls = createCalls({ policies, meter: new Meter(), hooks: faults.hooks });
  const took: string[] = [];
  let n = 0;
  const call = (service: string, operation: string, principal: Principal = WORKER) => {
    const name = `${operation}#${++n}`;
    return calls
      .run({ service, operation, principal }, async () => void took.push(name))
      .then(
        () => 'ok',
        (error: { code: string }) => error.code,
      );
  };
  return { faults, call, took };
}

test('only the nth call of an operation fails, before it takes effect', async () => {
  const { call, took, faults } = world([
    {
      call: { service: 's3', operation: 'PutObject' },
      nth: 2,
      do: { type: 'fail', code: 'InternalError', status: 500 },
    },
  ]);
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await call('s3', 'PutObject'));
  expect(answers).toEqual(['ok', 'InternalError', 'ok']);
  expect(took).toEqual(['PutObject#1', 'PutObject#3']);
  expect(faults.fired).toEqual([{ fault: 0, what: 's3:PutObject' }]);
});

test('the nth call of an operation takes effect, and its answer is lost', async () => {
  const { call, took } = world([
    { call: { service: 's3' }, nth: 1, moment: 'after', do: { type: 'fail', code: 'InternalError', status: 500 } },
  ]);
  expect(await call('s3', 'PutObject')).toBe('InternalError');
  expect(took).toEqual(['PutObject#1']);
});

test('calls are counted by service, operation and caller', async () => {
  const { call } = world([
    { call: { service: 's3', operation: 'GetObject', principal: 'Api' }, nth: [1, 2], do: { type: 'throttle' } },
  ]);
  expect(await call('s3', 'GetObject', WORKER)).toBe('ok');
  expect(await call('sqs', 'GetObject', API)).toBe('ok');
  expect(await call('s3', 'PutObject', API)).toBe('ok');
  expect(await call('s3', 'GetObject', API)).toBe('SlowDown');
  expect(await call('s3', 'GetObject', API)).toBe('SlowDown');
  expect(await call('s3', 'GetObject', API)).toBe('ok');
});

test('every call can be throttled, with the error of its service', async () => {
  const { call } = world([{ call: { service: 'dynamodb' }, nth: 'every', do: { type: 'throttle' } }]);
  expect(await call('dynamodb', 'PutItem')).toBe('ProvisionedThroughputExceededException');
  expect(await call('dynamodb', 'Query')).toBe('ProvisionedThroughputExceededException');
});

test('a worker that is killed at a call gets no answer, and the call takes no effect', async () => {
  const { call, took, faults } = world([
    { call: { service: 's3', operation: 'UploadPart' }, nth: 1, do: { type: 'kill', cause: 'SIGKILL' } },
  ]);
  const killed: string[] = [];
  faults.control(control(killed));
  expect(await call('s3', 'UploadPart')).toBe('ServiceUnavailable');
  expect([killed, took]).toEqual([['SIGKILL'], []]);
});

test('a worker whose host is reclaimed is warned, and its call is answered', async () => {
  const { call, took, faults } = world([
    { call: { service: 's3', operation: 'UploadPart' }, nth: 1, do: { type: 'kill', cause: 'reclaim' } },
  ]);
  const killed: string[] = [];
  faults.control(control(killed));
  expect(await call('s3', 'UploadPart')).toBe('ok');
  expect([killed, took]).toEqual([['reclaim'], ['UploadPart#1']]);
});

test('a delayed call waits, and other calls overtake it', async () => {
  const { call, took } = world([{ call: { service: 's3' }, nth: 1, do: { type: 'delay', ms: 50 } }]);
  await Promise.all([call('s3', 'GetObject'), call('s3', 'PutObject')]);
  expect(took).toEqual(['PutObject#2', 'GetObject#1']);
});

test('a function that is named by a part of its name is stopped at a call', async () => {
  const { call, took, faults } = world([
    { call: { service: 's3', principal: 'Api' }, nth: 1, do: { type: 'stop-function', name: 'publish' } },
  ]);
  const killed: string[] = [];
  const batch = { running: () => [], kill: async () => {}, fillDisk: async () => {} };
  const lambda = { kill: (name: string) => killed.push(name) };
  faults.control(controlOf({ batch, lambda, crash: async () => {} }, ['a-publish-output', 'a-api']));
  expect(await call('s3', 'CopyObject', API)).toBe('ServiceUnavailable');
  expect([killed, took]).toEqual([['a-publish-output'], []]);
});

test('a plan kills a real job at a call, and Batch runs it again', async () => {
  const batchWorld = await startWorld({ definition: { RetryStrategy: { Attempts: 2 } } });
  try {
    const { call, faults } = world([
      { call: { service: 's3', operation: 'GetObject' }, nth: 1, do: { type: 'kill', cause: 'out-of-memory' } },
    ]);
    faults.control(controlOf({ batch: batchWorld.batch, lambda: { kill() {} }, crash: async () => {} }, []));
    const id = await batchWorld.submit({ HOLD: join(batchWorld.dir, 'go') });
    await batchWorld.until(id, 'RUNNING');
    await call('s3', 'GetObject');
    await batchWorld.release(join(batchWorld.dir, 'go'));
    const { attempts } = await batchWorld.until(id, 'SUCCEEDED');
    expect(attempts?.map(({ container }) => container?.reason)).toEqual([
      'OutOfMemoryError: Container killed due to memory usage',
      undefined,
    ]);
  } finally {
    await batchWorld.close();
  }
});

function control(killed: string[]): Control {
  return {
    kill: (cause) => void killed.push(cause),
    fillDisks: async () => void killed.push('fill-disk'),
    stopFunction: () => {},
    crash: () => {},
  };
}

/** Delivers steps 1 to 4 at once, and tells in which order they arrive. */
async function deliver(plan: FaultPlan): Promise<number[]> {
  const arrived: number[] = [];
  const faults = createFaults(plan);
  const send = faults.deliver(async (_target, payload) => void arrived.push(JSON.parse(payload).detail.step));
  const event = (step: number) =>
    JSON.stringify({ source: 'dropreel.worker', 'detail-type': 'Job Progress', detail: { step } });
  await Promise.all(
    [1, 2, 3, 4].map((step) => send('arn:aws:sqs:us-east-1:1:Track', event(step), { type: 'developer' })),
  );
  return arrived;
}

test.each([
  ['no fault', [], [1, 2, 3, 4]],
  ['dropped', [{ event: { source: 'dropreel.worker' }, nth: 2, do: { type: 'drop' } }], [1, 3, 4]],
  ['another source', [{ event: { source: 'aws.batch' }, nth: 2, do: { type: 'drop' } }], [1, 2, 3, 4]],
  ['by its detail', [{ event: { detail: { step: 3 } }, nth: 1, do: { type: 'drop' } }], [1, 2, 4]],
  ['by another target', [{ event: { target: 'Publish' }, nth: 'every', do: { type: 'drop' } }], [1, 2, 3, 4]],
  ['delayed', [{ event: { detail: { step: 1 } }, nth: 1, do: { type: 'delay', ms: 20 } }], [2, 3, 4, 1]],
] as const)('an event is %s', async (_title, plan, expected) => {
  expect(await deliver(plan as unknown as FaultPlan)).toEqual(expected);
});

test('a doubled event arrives twice', async () => {
  const arrived = await deliver([{ event: { detail: { step: 2 } }, nth: 1, do: { type: 'duplicate' } }]);
  expect(arrived.sort()).toEqual([1, 2, 2, 3, 4]);
});

test('a swapped event arrives after the next of its kind', async () => {
  const arrived = await deliver([{ event: {}, nth: 2, do: { type: 'reorder' } }]);
  expect(arrived.indexOf(3)).toBeLessThan(arrived.indexOf(2));
  expect(arrived.sort()).toEqual([1, 2, 3, 4]);
});

/** Sends 1000 bytes in each of two bodies, in pieces of 100; tells how much arrived of each, or why it did not. */
async function move(plan: FaultPlan, principal: Principal = WORKER) {
  const faults = createFaults(plan);
  const struck: string[] = [];
  faults.control(control(struck));
  const bodies = [];
  for (const _ of [1, 2]) {
    const source = Readable.from(Array.from({ length: 10 }, () => Buffer.alloc(100)));
    let arrived = 0;
    try {
      for await (const chunk of faults.hooks.body(principal, 'pushed', source)) arrived += (chunk as Buffer).length;
      bodies.push(arrived);
    } catch (error) {
      bodies.push((error as NodeJS.ErrnoException).code);
    }
  }
  return { bodies, struck, fired: faults.fired };
}

test('a body is cut at a byte, counted over all bodies, when its sender is killed', async () => {
  const plan: FaultPlan = [{ bytes: { direction: 'pushed', at: 1350 }, do: { type: 'kill', cause: 'SIGKILL' } }];
  expect(await move(plan)).toEqual({
    bodies: [1000, 'ECONNRESET'],
    struck: ['SIGKILL'],
    fired: [{ fault: 0, what: 'pushed 1350 bytes' }],
  });
});

test.each([
  ['the other direction', { direction: 'pulled', at: 1 }, 'SIGKILL', []],
  ['another caller', { direction: 'pushed', principal: 'Api', at: 1 }, 'SIGKILL', []],
  ['a byte that is never reached', { direction: 'pushed', at: 2001 }, 'SIGKILL', []],
  ['a sender with notice', { direction: 'pushed', principal: 'Worker', at: 2000 }, 'reclaim', ['reclaim']],
] as const)('a body is whole with %s', async (_title, bytes, cause, struck) => {
  expect(await move([{ bytes, do: { type: 'kill', cause } }])).toMatchObject({ bodies: [1000, 1000], struck });
});

test('an error of a body is reported through a fault that waits for a byte', async () => {
  const faults = createFaults([{ bytes: { direction: 'pushed', at: 9 }, do: { type: 'kill', cause: 'SIGKILL' } }]);
  const wrong = new AwsError('BadDigest', 400, 'The checksum does not match.');
  const source = Readable.from(
    (async function* () {
      yield Buffer.alloc(1);
      throw wrong;
    })(),
  );
  await expect(faults.hooks.body(WORKER, 'pushed', source).toArray()).rejects.toBe(wrong);
});

test('the attempts that a plan names lack what it says', () => {
  const faults = createFaults([
    { attempt: [1, 3], do: { type: 'memory', MiB: 64 } },
    { attempt: 3, do: { type: 'disk', bytes: 1000 } },
  ]);
  expect(['a', 'a', 'b', 'b'].map((job) => faults.shortageOf(job))).toEqual([
    { memoryMiB: 64 },
    {},
    { memoryMiB: 64, diskBytes: 1000 },
    {},
  ]);
  expect(faults.fired.map(({ what }) => what)).toEqual(['attempt of a', 'attempt of b', 'attempt of b']);
});

test("a plan that fills this machine's disk is refused", () => {
  const fill = { bytes: { direction: 'pulled', at: 1 }, do: { type: 'fill-disk' } } as const;
  expect(() => createFaults([fill])).toThrow("fill-disk needs a disk of the job's own");
  expect(() => createFaults([fill, { attempt: 1, do: { type: 'disk', bytes: 1000 } }])).not.toThrow();
});

test('an invalid plan is refused', () => {
  const plan = [{ call: { service: 's3' }, nth: 0, do: { type: 'explode' } }] as unknown as FaultPlan;
  expect(() => createFaults(plan)).toThrow();
});
