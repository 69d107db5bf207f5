import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { readText } from '../../aws/s3.ts';
import { takeLease } from '../../containers/transcoder/lease.ts';
import { PRESETS } from '../../core/contracts/presets.ts';
import { jobFor } from '../../core/jobs/transitions.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { job } from '../support/factories.ts';
import { emptyServices, MEDIA, startServices } from '../support/services.ts';

const services = await startServices();
afterAll(() => services[Symbol.asyncDispose]());
beforeEach(() => emptyServices(services));

const mine = jobFor(job(), PRESETS.standard ?? expect.fail('no preset'), MEDIA);
const LEASE_MS = 800;

/** A machine that has been given the engine job `engine-1`, or another one. Its calls can be broken where `breakable` is given. */
function machine(id: string, { s3 = services.s3, engineJobId = 'engine-1' } = {}) {
  const stopped = new AbortController();
  const lost: string[] = [];
  const onLost = ({ message }: Error) => void lost.push(message);
  const { signal } = stopped;
  const take = () => takeLease(s3, mine, { engineJobId, machine: { id, leaseMs: LEASE_MS, onLost }, signal });
  return { lost, take, stop: () => stopped.abort(new Error('stopped')) };
}

async function holder(): Promise<string> {
  const text = await readText(services.s3, { bucket: MEDIA, key: `${mine.output.prefix}claim.json` });
  return (JSON.parse(text ?? '{}') as { machine: string }).machine;
}

it('of two machines with one job, the second waits while the first is alive, and takes over once it is silent', async () => {
  const [first, second] = [machine('first'), machine('second')];
  const { claimed, renew } = await first.take();
  expect(claimed).toBe('mine');
  const silent = renew();
  let taken: string | undefined;
  const waits = second.take().then(({ claimed }) => {
    taken = claimed;
  });
  await delay(3 * LEASE_MS);
  expect([taken, await holder(), first.lost]).toEqual([undefined, 'first', []]);
  silent();
  await waits;
  expect([taken, await holder()]).toEqual(['again', 'second']);
});

it('of two machines that wait for a silent one, one takes over', async () => {
  await machine('dead').take();
  const waiting = [machine('one'), machine('other')];
  let took = 0;
  const ends = waiting.map(async ({ take }) => {
    const { renew } = await take();
    took += 1;
    return renew();
  });
  await Promise.race(ends);
  await delay(2 * LEASE_MS);
  expect(took).toBe(1);
  for (const { stop } of waiting) stop();
  await Promise.allSettled(ends);
});

it('a machine that was away for longer than its lease stops when it finds another one', async () => {
  const [first, second] = [machine('first'), machine('second')];
  const { renew } = await first.take();
  await second.take();
  renew();
  await vi.waitUntil(() => first.lost.length > 0, 5000);
  expect(first.lost).toEqual([
    expect.stringMatching(/^(another machine has the claim|the claim could not be renewed)$/),
  ]);
  expect(await holder()).toBe('second');
});

it('a machine that cannot renew stops before another one may begin', async () => {
  const first = machine('first', { s3: services.breakable.s3 });
  const { renew } = await first.take();
  services.onCall = (when, { operation }) => {
    if (when === 'before' && operation === 'PutObject') throw new AwsError('SlowDown', 503, 'Later.');
  };
  const began = performance.now();
  const taken = machine('second').take();
  renew();
  await vi.waitUntil(() => first.lost.length > 0, 5000);
  expect(first.lost).toEqual(['the claim could not be renewed']);
  expect(performance.now() - began).toBeLessThan(LEASE_MS);
  expect((await taken).claimed).toBe('again');
});

it('a machine whose renewal was not answered has the claim still', async () => {
  const first = machine('first', { s3: services.breakable.s3 });
  const { renew } = await first.take();
  let unanswered = 0;
  services.onCall = (when, { operation }) => {
    if (when !== 'after' || operation !== 'PutObject' || unanswered >= 2) return;
    unanswered += 1;
    throw new AwsError('InternalError', 500, 'Lost on purpose.');
  };
  const stop = renew();
  await delay(2 * LEASE_MS);
  stop();
  expect([unanswered, first.lost, await holder()]).toEqual([2, [], 'first']);
});

it('a machine that begins again has its job at once, and another job of the endpoint gets none of it', async () => {
  await machine('first').take();
  expect((await machine('first').take()).claimed).toBe('again');
  expect((await machine('second', { engineJobId: 'engine-2' }).take()).claimed).toBe('other');
});

it('a machine that waits ends when it is stopped', async () => {
  await machine('first').take();
  const second = machine('second');
  const waits = second.take();
  second.stop();
  await expect(waits).rejects.toThrow('stopped');
});

it('a claim of a release that named no machine is taken over once it has not changed for a lease', async () => {
  const Key = `${mine.output.prefix}claim.json`;
  const Body = JSON.stringify({ jobId: mine.jobId, engineJobId: 'engine-1' });
  await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body }));
  const began = performance.now();
  expect((await machine('first').take()).claimed).toBe('again');
  expect(performance.now() - began).toBeGreaterThanOrEqual(LEASE_MS);
});
