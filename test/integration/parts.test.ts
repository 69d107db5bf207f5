import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { apply, getJob, getRow } from '../../aws/table.ts';
import { EngineRow } from '../../core/contracts/table/engines.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { engineKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import { type Engine, EngineRefused, type EngineState, type Submission } from '../../engines/engine.ts';
import { Engines } from '../../engines/registry.ts';
import { continueJob } from '../../functions/shared/continue-job.ts';
import { submitJob } from '../../functions/shared/submit-job.ts';
import { repairFromEngine } from '../../functions/sweep/engine-jobs.ts';
import { track } from '../../functions/track-job/track.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { job, NOW } from '../support/factories.ts';
import { MEDIA, QUEUES, type Services, startServices } from '../support/services.ts';
import { addCollection, addMedia, LONG_AGO } from '../support/swept.ts';

/** Jobs of an engine that runs each in parts. */

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
/** What the engine was given, each as `e-1`, `e-2` … */
let taken: Pick<Submission, 'part' | 'number' | 'tried'>[];
let deadlines: (number | undefined)[];
let events: Extract<Awaited<ReturnType<Engine['read']>>, object>[];
let onSubmit: (access: Submission['access']) => void | Promise<void>;
let cancelled: string[];

beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());
beforeEach(async () => {
  taken = [];
  deadlines = [];
  cancelled = [];
  events = [];
  onSubmit = () => {};
  services.onCall = () => {};
  await apply(services.table, [{ op: 'remove', key: engineKeys.engine('tape'), expect: {} }]);
});

const engine = {
  title: 'the tape',
  needsOnDemand: () => false,
  estimate: () => ({ unfit: 'nobody knows' }),
  submit: async ({ part, number, tried, access, deadlineSeconds }: Submission) => {
    taken.push({ part, number, tried });
    deadlines.push(deadlineSeconds);
    await onSubmit(access);
    return `e-${taken.length}`;
  },
  cancel: async (id: string) => void cancelled.push(id),
  read: async () => events.shift() ?? null,
} as unknown as Engine;

const world = () => ({
  ...services.breakable,
  engines: new Engines({ tape: engine }),
  mediaBucket: MEDIA,
  publishQueueUrl: QUEUES.publish,
  ingestQueueUrl: QUEUES.ingest,
});

let count = 0;
async function queued(more: Partial<JobRow> = {}): Promise<JobRow> {
  const name = `${++count}.mp4`;
  const { mediaId } = await addMedia(services, 'talks', name, { state: 'uploaded', current: undefined });
  const { engineJobId: _, ...row } = job({ mediaId, jobId: `${mediaId}-1`, state: 'queued', engine: 'tape', ...more });
  await apply(services.table, [{ op: 'put', key: rowKeys.job(mediaId, 1), row }]);
  return row;
}
const changed = async ({ mediaId, n }: JobRow, set: Partial<JobRow>) =>
  void (await apply(services.table, [{ op: 'update', key: rowKeys.job(mediaId, n), expect: {}, set }]));
const rowOf = async ({ mediaId, n }: JobRow) => (await getJob(services.table, mediaId, n)) ?? expect.fail('no row');
const first = ({ jobId }: JobRow, engineJobId = 'e-1') => ({ jobId, engineJobId, part: undefined, next: 'encode' });
const NEWS = { source: 'tape', 'detail-type': 'News', detail: {} };
const read = async (event: (typeof events)[number]) => {
  events.push(event);
  await track(world(), NEWS);
};

it('a part that ends twice is followed by the next one once, under another number', async () => {
  const row = await queued();
  await submitJob(world(), row);
  await Promise.all([continueJob(world(), first(row)), continueJob(world(), first(row))]);
  expect(await continueJob(world(), first(row))).toBe('ignored');
  expect(taken).toEqual([
    { part: undefined, number: 1, tried: false },
    { part: 'encode', number: 2, tried: false },
  ]);
  expect(await rowOf(row)).toMatchObject({ state: 'queued', part: 'encode', engineJobId: 'e-2' });
});

it('late news of an earlier part, and of another engine job, changes nothing', async () => {
  const row = await queued();
  await submitJob(world(), row);
  await continueJob(world(), first(row));
  const before = await rowOf(row);
  const { jobId } = row;
  await read({ kind: 'running', jobId, engineJobId: 'e-1' });
  await read({ kind: 'continues', ...first(row) });
  const reason = { code: 'worker_lost' as const, message: 'Gone.' };
  await read({ kind: 'ended', jobId, engineJobId: 'e-1', end: { by: 'outside', reason } });
  await read({ kind: 'continues', jobId, engineJobId: 'e-9', part: 'encode', next: 'finish-9' });
  await track(world(), {
    id: 'x',
    time: NOW,
    source: 'dropreel.worker',
    'detail-type': 'Job Progress',
    detail: { jobId, engineJobId: 'e-1', attempt: 1, at: NOW, phase: 'done', percent: 100, step: 'pulled' },
  });
  expect(await rowOf(row)).toEqual(before);
});

it('an array of chunks is cancelled at its first news where the row names another one, between which no claim decides', async () => {
  const row = await queued({ part: 'chunks-2', engineJobId: 'e-1', state: 'running' });
  await changed(row, { engineJobId: 'e-1' });
  const { jobId } = row;
  const report = (engineJobId: string, part = 'chunks-2') =>
    track(world(), {
      ...{ id: 'x', time: NOW, source: 'dropreel.worker', 'detail-type': 'Job Progress' },
      detail: {
        ...{ jobId, engineJobId, attempt: 1, at: NOW, phase: 'transcoding', percent: 20, part },
        child: { index: 1, of: 3, startedAt: NOW },
      },
    });
  await report('e-1');
  await read({ kind: 'running', jobId, engineJobId: 'e-1', part: 'chunks-2' });
  expect(cancelled).toEqual([]);
  await report('e-0');
  await read({ kind: 'running', jobId, engineJobId: 'e-0', part: 'chunks-2' });
  expect(cancelled).toEqual(['e-0', 'e-0']);
  expect(await rowOf(row)).toMatchObject({ engineJobId: 'e-1', state: 'running' });
});

it.each([
  ['where the row names another one', 'encode'],
  ['where the other one is encoded', 'finish-2'],
])('an encode that had no answer and waited in a queue is cancelled at its first news, %s', async (_, part) => {
  const row = await queued({ part, engineJobId: 'e-2', state: 'running' });
  await changed(row, { engineJobId: 'e-2' });
  const { jobId } = row;
  if (part === 'encode') await read({ kind: 'running', jobId, engineJobId: 'e-2', part });
  expect(cancelled).toEqual([]);
  await read({ kind: 'running', jobId, engineJobId: 'e-1', part: 'encode' });
  expect(cancelled).toEqual(['e-1']);
  expect(await rowOf(row)).toMatchObject({ engineJobId: 'e-2', part, state: 'running' });
});

it('an engine is told in what time an upload is to be done, where its collection says so', async () => {
  await addCollection(services, 'talks', { deadlineMinutes: 4 });
  const createdAt = new Date(Date.now() - 60_000).toISOString();
  await submitJob(world(), await queued({ collectionId: 'talks', createdAt }));
  await submitJob(world(), await queued({ collectionId: 'other', createdAt }));
  await submitJob(world(), await queued({ collectionId: 'talks', createdAt, purpose: 'retranscode' }));
  expect(deadlines).toEqual([expect.closeTo(180, -1), undefined, undefined]);
});

it('a submission that was not noted is adopted by the first news of its part, and not made again', async () => {
  const row = await queued();
  await submitJob(world(), row);
  onSubmit = () => {
    throw new Error('Lost on purpose.');
  };
  await expect(continueJob(world(), first(row))).rejects.toThrow('Lost on purpose.');
  expect(await rowOf(row)).not.toHaveProperty('engineJobId');
  await read({ kind: 'running', jobId: row.jobId, engineJobId: 'e-2', part: 'encode' });
  expect(await rowOf(row)).toMatchObject({ state: 'running', engineJobId: 'e-2' });
  await apply(services.table, [
    { op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: { submittingUntil: LONG_AGO } },
  ]);
  await continueJob(world(), first(row));
  expect(taken).toHaveLength(2);
});

it.each([
  ['whose job has ended meanwhile', undefined, { state: 'cancelled' }],
  ['of a part that has ended meanwhile', undefined, { part: 'encode' }],
  ['beside another one of the encode, between which no claim decides', 'encode', { engineJobId: 'e-0' }],
] as const)('a submission %s is cancelled at once', async (_, part, meanwhile) => {
  const row = await queued({ part });
  onSubmit = () => changed(row, meanwhile);
  await submitJob(world(), row);
  expect(cancelled).toEqual(['e-1']);
  expect(await rowOf(row)).toMatchObject(meanwhile);
});

it('a submission that the row names before it is noted goes on, and so does one that a claim may decide for', async () => {
  const [encode, first] = [await queued({ part: 'encode' }), await queued()];
  onSubmit = () => changed(encode, { engineJobId: 'e-1' });
  await submitJob(world(), encode);
  onSubmit = () => changed(first, { engineJobId: 'e-0' });
  await submitJob(world(), first);
  expect(cancelled).toEqual([]);
});

it('a refusal says nothing of an earlier submission without an answer: the next one waits for the lease', async () => {
  const row = await queued();
  onSubmit = () => {
    throw new Error('Lost on purpose.');
  };
  await expect(submitJob(world(), row)).rejects.toThrow('Lost on purpose.');
  await apply(services.table, [
    { op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: { submittingUntil: LONG_AGO } },
  ]);
  onSubmit = () => {
    throw new EngineRefused('Too many calls.', { forGood: false });
  };
  await expect(submitJob(world(), row)).rejects.toThrow('Too many calls.');
  onSubmit = () => {};
  expect(await submitJob(world(), row)).toBe('not now');
  expect(taken).toHaveLength(2);
});

it('a job that the engine has is noted as such, though it cannot be noted that the engine takes jobs again', async () => {
  const failing = { type: 'engine', failures: 1, failingSince: NOW, why: 'Too many calls.' };
  await apply(services.table, [{ op: 'put', key: engineKeys.engine('tape'), row: failing }]);
  services.onCall = (_, { operation }) => {
    if (operation === 'DeleteItem') throw new AwsError('ServiceUnavailable', 503, 'Dead.');
  };
  const row = await queued();
  expect(await submitJob(world(), row)).toBe('submitted');
  services.onCall = () => {};
  expect(await rowOf(row)).toMatchObject({ engineJobId: 'e-1' });
  expect(await getRow(services.table, engineKeys.engine('tape'), EngineRow)).toEqual(failing);
  await submitJob(world(), await queued());
  expect(await getRow(services.table, engineKeys.engine('tape'), EngineRow)).toBeNull();
});

it("what a submission cannot read of dropreel's own is no outage of its engine", async () => {
  onSubmit = async (access) => {
    services.onCall = () => {
      throw new AwsError('ServiceUnavailable', 503, 'Dead.');
    };
    await access().finally(() => {
      services.onCall = () => {};
    });
  };
  await expect(submitJob(world(), await queued())).rejects.toThrow('Dead.');
  expect(await getRow(services.table, engineKeys.engine('tape'), EngineRow)).toBeNull();
});

it('wherever a call fails between two parts, sweep goes on, and no two submissions have one number', async () => {
  for (let at = 1; ; at++) {
    const row = await queued();
    taken = [];
    await submitJob(world(), row);
    let calls = 0;
    services.onCall = () => {
      // Before and after each call in turn.
      if (++calls >= at) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
    };
    const died = await continueJob(world(), first(row)).then(
      () => false,
      () => true,
    );
    services.onCall = () => {};
    await apply(services.table, [
      { op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: { submittingUntil: LONG_AGO } },
    ]);
    const left = await rowOf(row);
    const state: EngineState = { kind: 'continues', next: 'encode' };
    const sweep = { ...world(), now: NOW, report: () => {} } as unknown as Parameters<typeof repairFromEngine>[0];
    if (left.part === undefined) await repairFromEngine(sweep, { ...left, engineJobId: 'e-1' }, state);
    else if (left.engineJobId === undefined) await submitJob(world(), left);
    expect(await rowOf(row)).toMatchObject({ part: 'encode', engineJobId: `e-${taken.length}` });
    const numbers = taken.map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
    if (!died) break;
  }
});
