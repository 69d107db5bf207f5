import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { jobFor } from '../../../../core/jobs/transitions.ts';
import { Endpoint } from '../../../../engines/http/client.ts';
import { connectHttp } from '../../../../engines/http/engine.ts';
import { policyFor } from '../../../../engines/http/policy.ts';
import { stateOf } from '../../../../engines/http/states.ts';
import { KIND } from '../../../../local/endpoint/behaviour.ts';
import { startEndpoint } from '../../../../local/endpoint/endpoint.ts';
import { job, source } from '../../../support/factories.ts';

const KEY = 'key';
const preset = PRESETS.standard ?? expect.fail('no preset');
const endpoint = await startEndpoint({
  apiKey: KEY,
  worker: { command: [], cwd: '.', environment: () => ({}), dir: '.' },
});
afterAll(() => endpoint.close());
beforeEach(() => void Object.assign(endpoint.behaviour, { ...KIND, dead: true }));

const engine = connectHttp('https://api.example.com', new Endpoint(endpoint.url, async () => `${KEY}\n`));
const submission = () => ({
  job: jobFor(job(), preset, 'media'),
  info: {},
  access: async () => ({ secret: 'whsec_c2VjcmV0', hintToken: 'token' }),
  purpose: 'ingest' as const,
  onDemand: false,
  tried: false,
  part: undefined,
  number: 1,
});
const hint = (engineJobId: string) => ({
  source: 'dropreel',
  'detail-type': 'Engine Hint',
  detail: { jobId: job().jobId, engineJobId, engine: 'http' },
});
const stateAt = async (id: string) => (await engine.describe([id])).get(id);

describe('a job at the endpoint', () => {
  it('is given what its worker needs, limits that fit, and an address for its webhook', async () => {
    const id = await engine.submit(submission());
    expect(endpoint.jobs.get(id)).toMatchObject({
      input: {
        job: { jobId: job().jobId },
        apiUrl: 'https://api.example.com',
        secret: 'whsec_c2VjcmV0',
        hintUrl: `https://api.example.com/engine-jobs/${job().jobId}/hint?token=token`,
      },
      webhook: `https://api.example.com/engine-jobs/${job().jobId}/hint?token=token`,
      policy: policyFor(submission().job, {}),
    });
  });

  it('waits, runs and ends, as the endpoint is asked after a hint', async () => {
    const id = await engine.submit(submission());
    expect([await stateAt(id), await engine.read(hint(id))]).toMatchObject([{ kind: 'waiting' }, { kind: 'nothing' }]);
    while (endpoint.jobs.take('pod')?.id !== id);
    expect([await stateAt(id), await engine.read(hint(id))]).toMatchObject([{ kind: 'running' }, { kind: 'running' }]);
    endpoint.jobs.done(id, 'pod', { error: 'https://secret.example.com' });
    const reason = {
      code: 'worker_lost',
      message: 'The worker ended without a result; the log of the endpoint may say why.',
    };
    expect(await engine.read(hint(id))).toMatchObject({
      kind: 'ended',
      engineJobId: id,
      end: { by: 'itself', reason },
    });
  });

  it('is blocked while the endpoint has no worker, and waits where that cannot be told', async () => {
    const id = await engine.submit(submission());
    const { intercept } = endpoint;
    const stateBeside = (health: unknown) => {
      endpoint.intercept = async (call, act) => (call === 'health' ? { status: 200, body: health } : act());
      return stateAt(id);
    };
    const jobs = { inProgress: 0, inQueue: 1 };
    const block = { kind: 'waiting', blockedBy: 'The endpoint has no worker.' };
    expect(await stateBeside({ jobs, workers: { idle: 0, running: 0, throttled: 2 } })).toEqual(block);
    for (const health of [{ jobs, workers: { idle: 1 } }, { jobs, workers: { initializing: 1 } }, 'garbled']) {
      expect(await stateBeside(health)).toEqual({ kind: 'waiting' });
    }
    endpoint.intercept = intercept;
  });

  it('is cancelled in whatever state it is, and an unknown one is left alone', async () => {
    const id = await engine.submit(submission());
    await engine.cancel(id, 'the job is over');
    await engine.cancel(id, 'the job is over');
    await engine.cancel('unknown', 'the job is over');
    expect(await stateAt(id)).toMatchObject({ kind: 'ended', end: { by: 'outside', reason: { code: 'cancelled' } } });
  });

  it('that is forgotten is unknown', async () => {
    const id = await engine.submit(submission());
    await engine.cancel(id, 'the job is over');
    endpoint.behaviour.forgetful = true;
    expect(await stateAt(id)).toMatchObject({ kind: 'unknown' });
  });

  it('is not counted as refused when its answer is lost, or the endpoint fails', async () => {
    endpoint.behaviour.losesRuns = true;
    await expect(engine.submit(submission())).rejects.not.toHaveProperty('code', 'engine_refused');
    Object.assign(endpoint.behaviour, { losesRuns: false, down: true });
    await expect(engine.submit(submission())).rejects.toThrow('The endpoint answered run with HTTP 503.');
    expect(await engine.describe(['one', 'other'])).toEqual(
      new Map(
        ['one', 'other'].map((id) => [
          id,
          {
            kind: 'unanswered',
            error: expect.objectContaining({ message: 'The endpoint answered status with HTTP 503.' }),
          },
        ]),
      ),
    );
  });

  it.each([408, 409])('is not counted as refused by HTTP %i, which may hide that it was accepted', async (status) => {
    endpoint.behaviour.refuses = status;
    await expect(engine.submit(submission())).rejects.not.toHaveProperty('code', 'engine_refused');
  });

  it.each<[string, () => Promise<string>]>([
    ['a wrong key', async () => 'wrong'],
    ['a key that cannot be read', () => Promise.reject(new Error('No such secret.'))],
  ])('is refused with %s, but not for good', async (_, key) => {
    const wrong = connectHttp('https://api.example.com', new Endpoint(endpoint.url, key));
    await expect(wrong.submit(submission())).rejects.toMatchObject({ code: 'engine_refused', forGood: false });
  });

  it.each([
    [400, true],
    [402, false],
    [403, false],
    [404, false],
    [410, false],
    [413, true],
    [422, true],
    [429, false],
  ])('that is refused by HTTP %i is refused for good: %s', async (status, forGood) => {
    endpoint.behaviour.refuses = status;
    await expect(engine.submit(submission())).rejects.toMatchObject({ code: 'engine_refused', forGood });
  });
});

it.each([
  ['IN_QUEUE', { kind: 'waiting' }],
  ['RUNNING', { kind: 'running' }],
  ['COMPLETED', { kind: 'ended', end: { by: 'itself', reason: { code: 'worker_lost' } } }],
  ['TIMED_OUT', { kind: 'ended', end: { by: 'unseen', reason: { code: 'engine_lost' } } }],
  ['PAUSED', { kind: 'unknown' }],
])('the state %s', (status, state) => {
  expect(stateOf({ status })).toMatchObject(state);
});

it.each([
  [1_799_999, 'unseen', 'engine_lost'],
  [1_800_000, 'outside', 'job_timeout'],
])('a job that is TIMED_OUT after %i ms of a worker', (executionTime, by, code) => {
  expect(stateOf({ status: 'TIMED_OUT', executionTime })).toMatchObject({ end: { by, reason: { code } } });
});

it('the time of a worker that left nothing is billed', () => {
  expect(stateOf({ status: 'FAILED', executionTime: 2500 })).toMatchObject({
    end: { held: { vcpus: 1, seconds: [2.5] } },
  });
});

it('the limits of a job cover its wait and its run, and are at most seven days', () => {
  const video = { durationSeconds: 3600, width: 1920, height: 1080, frameRate: 30 };
  const of = (size: number, info: object) => policyFor({ ...submission().job, source: source({ size }) }, info);
  // An hour of 1080p: 1800 s and twice 1 GB at 2 MB/s and four times 2193.25 s.
  expect(of(1e9, video)).toEqual({ executionTimeout: 11_573_000, ttl: 97_973_000 });
  expect(of(1e9, { ...video, durationSeconds: 1e6 })).toEqual({ executionTimeout: 604_800_000, ttl: 604_800_000 });
  // Nothing is known: 720 s at 500 kbit/s, as 1080p.
  expect(of(45_000_000, {}).executionTimeout).toBe(3_601_000);
  expect(of(45_000_000, { audioCodec: 'flac' }).executionTimeout).toBe(1_856_000);
});
