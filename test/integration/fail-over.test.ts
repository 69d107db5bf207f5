import { beforeEach, expect, it, vi } from 'vitest';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { queryJobs } from '../../aws/table-queries.ts';
import { EngineRow, LoadRow } from '../../core/contracts/table/engines.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { engineKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import { monthOf, SpentRow, spentKey } from '../../core/jobs/spending.ts';
import { plus } from '../../core/time.ts';
import { type Engine, EngineRefused } from '../../engines/engine.ts';
import { Engines } from '../../engines/registry.ts';
import { submitJob } from '../../functions/shared/submit-job.ts';
import { repairFromEngine } from '../../functions/sweep/engine-jobs.ts';
import { watchEngines } from '../../functions/sweep/engines.ts';
import { repairJobs } from '../../functions/sweep/jobs.ts';
import { job } from '../support/factories.ts';
import { MEDIA } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addCollection, addMedia, LONG_AGO, sweepWith } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand({ slots: 0 });

/** What each engine was given, and what it answers: its id of the job, or an error. */
let given: string[] = [];
let cheap: () => string | Promise<string> = () => 'cheap-1';
let layered: () => string = () => 'layered-1';

const QUEUE = { queue: 'one', atWork: true, blockedBy: null };

function engine(name: string, [usd, seconds]: [number, number], answer: () => string | Promise<string>): Engine {
  return {
    title: name,
    async submit({ job: { jobId }, part }) {
      given.push([name, jobId.split('-')[1], ...(part === undefined ? [] : [part])].join(' '));
      return answer();
    },
    describe: async (ids) => new Map(ids.map((id) => [id, { kind: 'waiting', blockedBy: 'Out of vCPUs.' }])),
    async cancel(id) {
      given.push(`${name} cancels ${id}`);
    },
    read: async () => null,
    look: async () => ({ queues: [1, 2].map((waiting) => ({ ...QUEUE, waiting })), broken: [] }),
    needsOnDemand: () => false,
    estimate: () => ({ seconds, usd }),
  };
}
const engines = new Engines({
  cheap: engine('cheap', [1, 1000], () => cheap()),
  // Its first and last part run where the jobs of `cheap` do.
  layered: {
    ...engine('layered', [1.5, 1000], () => layered()),
    servedBy: (part) => (part === 'encode' ? 'layered' : 'cheap'),
  },
  dear: engine('dear', [2, 10], () => 'dear-1'),
});
const throttled = () => {
  throw new EngineRefused('Too many requests.', { forGood: false });
};
const unanswered = () => {
  throw new Error('No answer.');
};

beforeEach(async () => {
  given = [];
  cheap = () => 'cheap-1';
  layered = () => 'layered-1';
  for (const [name] of engines.entries()) {
    await apply(services.table, [{ op: 'remove', key: engineKeys.engine(name), expect: {} }]);
  }
});

const submission = { table: services.breakable.table, engines, s3: services.s3, mediaBucket: MEDIA };
const jobOf = ({ mediaId, n }: JobRow) => getJob(services.table, mediaId, n);

async function queued(name: string, more: Partial<JobRow> = {}): Promise<JobRow> {
  const collectionId = more.collectionId ?? 'talks';
  const { mediaId } = await addMedia(services, collectionId, name, { state: 'uploaded', current: undefined });
  const { engineJobId: _, ...unsent } = job({
    ...{ mediaId, jobId: `${mediaId}-1`, state: 'queued', engine: 'auto', heartbeatAt: LONG_AGO, todoAt: LONG_AGO },
    ...more,
  });
  const row = { ...unsent, ...(more.engineJobId !== undefined && { engineJobId: more.engineJobId }) };
  await apply(services.table, [{ op: 'put', key: rowKeys.job(mediaId, 1), row }]);
  return row;
}

const inMinutes = (minutes: number) => plus(new Date().toISOString(), { minutes });

/** As if it had been failing for hours. */
async function failsForHours(name = 'cheap', pausedUntil = inMinutes(10)): Promise<void> {
  const set: EngineRow = {
    ...{ type: 'engine', failures: 9, failingSince: LONG_AGO, pausedUntil, why: 'Too many requests.' },
  };
  await apply(services.table, [{ op: 'update', key: engineKeys.engine(name), expect: {}, set }]);
}
const failing = (name: string) => getRow(services.table, engineKeys.engine(name), EngineRow);

const sweep = (part: typeof repairJobs) =>
  sweepWith(services, world, new Date().toISOString(), () => 265_000, [part], engines);

it('an engine that refuses three jobs gets no other for a minute, and they show why; one that it takes ends that', async () => {
  cheap = throttled;
  const rows = await Promise.all(['a', 'b', 'c', 'd'].map((name) => queued(`${name}.mp4`)));
  for (const row of rows.slice(0, 3)) await expect(submitJob(submission, row)).rejects.toThrow('Too many requests.');
  const [, , , last = expect.fail('no job')] = rows;
  expect(await submitJob(submission, last)).toBe('not now');
  expect(given).toEqual(['cheap 1', 'cheap 1', 'cheap 1']);
  const { error, todoAt = '', engine: chosen } = (await jobOf(last)) ?? expect.fail('no row');
  expect([error?.code, chosen, Date.parse(todoAt) > Date.now()]).toEqual(['engine_down', 'auto', true]);
  expect(error?.message).toMatch(/^cheap has taken no job since .*: Too many requests\.$/);
  expect((await sweep(watchEngines)).enginesDown).toBe(1);

  cheap = () => 'cheap-2';
  const set = { pausedUntil: LONG_AGO };
  await apply(services.table, [{ op: 'update', key: engineKeys.engine('cheap'), expect: {}, set }]);
  expect(await submitJob(submission, last)).toBe('submitted');
  expect(await jobOf(last)).not.toHaveProperty('error');
  expect((await sweep(watchEngines)).enginesDown).toBe(0);
});

it('a job that auto gave to an engine that is down for half an hour goes to another, and one that names it waits', async () => {
  cheap = throttled;
  const [chosen, named] = [await queued('chosen.mp4'), await queued('named.mp4', { engine: 'cheap' })];
  for (const row of [chosen, named]) await expect(submitJob(submission, row)).rejects.toThrow();
  expect(await jobOf(chosen)).toMatchObject({ engine: 'cheap', auto: true });
  await failsForHours();
  expect(await submitJob(submission, chosen)).toBe('submitted');
  expect(await jobOf(chosen)).toMatchObject({ engine: 'dear', engineJobId: 'dear-1', movedFrom: ['cheap'], n: 1 });
  expect(await submitJob(submission, named)).toBe('not now');
  expect((await jobOf(named))?.engine).toBe('cheap');
  expect(given).toEqual(['cheap 1', 'cheap 1', 'dear 1']);
});

it('after each pause the next job of auto tries the engine again: it ends the outage, or goes to another', async () => {
  cheap = throttled;
  await failsForHours('cheap', LONG_AGO);
  const [tries, next] = [await queued('tries.mp4'), await queued('next.mp4')];
  await expect(submitJob(submission, tries)).rejects.toThrow('Too many requests.');
  for (const row of [next, tries]) expect(await submitJob(submission, row)).toBe('submitted');
  expect(given).toEqual(['cheap 1', 'dear 1', 'dear 1']);

  given = [];
  cheap = () => 'cheap-1';
  await failsForHours('cheap', LONG_AGO);
  for (const name of ['again.mp4', 'and again.mp4']) await submitJob(submission, await queued(name));
  expect(given).toEqual(['cheap 1', 'cheap 1']);
  expect(await failing('cheap')).toBeNull();
});

it('a job whose second engine takes no jobs either goes to the third, and to none that it has left', async () => {
  layered = throttled;
  const row = await queued('third.mp4', { engine: 'layered', auto: true });
  await failsForHours('layered');
  cheap = throttled;
  await expect(submitJob(submission, row)).rejects.toThrow('Too many requests.');
  expect(await jobOf(row)).toMatchObject({ engine: 'cheap', movedFrom: ['layered'] });
  await failsForHours('cheap');
  expect(await submitJob(submission, row)).toBe('submitted');
  expect(await jobOf(row)).toMatchObject({ engine: 'dear', movedFrom: ['layered', 'cheap'], n: 1 });
  expect(given).toEqual(['cheap 1', 'dear 1']);

  await apply(services.table, [{ op: 'remove', key: engineKeys.engine('cheap'), expect: {} }]);
  await failsForHours('dear');
  const left = await queued('left.mp4', { engine: 'dear', auto: true, movedFrom: ['layered', 'cheap'] });
  expect(await submitJob(submission, left)).toBe('not now');
  expect((await jobOf(left))?.engine).toBe('dear');
});

it('a job that it may have got goes to the other under another number, so that no two write to one place, and once', async () => {
  cheap = unanswered;
  const row = await queued('unanswered.mp4');
  await expect(submitJob(submission, row)).rejects.toThrow('No answer.');
  const set = { submittingUntil: LONG_AGO };
  await apply(services.table, [{ op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set }]);
  await failsForHours();
  await Promise.all([sweep(repairJobs), sweep(repairJobs)]);
  const [second, first, ...others] = await queryJobs(services.table, row.mediaId, 9);
  expect([first?.state, first?.error?.code, others]).toEqual(['failed', 'engine_down', []]);
  expect(second).toMatchObject({ n: 2, state: 'queued', engine: 'auto', movedFrom: ['cheap'] });
  expect(await getMedia(services.table, row.mediaId)).toMatchObject({ state: 'transcoding', jobId: second?.jobId });
  await submitJob(submission, second ?? expect.fail('no second job'));
  expect(given).toEqual(['cheap 1', 'dear 2']);
});

it('a job that auto has not given to any engine passes over one that is down for half an hour', async () => {
  await failsForHours();
  const row = await queued('new.mp4');
  await submitJob(submission, row);
  expect(given).toEqual(['dear 1']);
  expect(await jobOf(row)).not.toHaveProperty('movedFrom');
});

it('an upload goes to the engine that is done before the deadline of its collection, and a re-transcode to the cheapest', async () => {
  await addCollection(services, 'news', { deadlineMinutes: 10 });
  const createdAt = new Date().toISOString();
  await submitJob(submission, await queued('today.mp4', { collectionId: 'news', createdAt }));
  await submitJob(submission, await queued('old.mp4', { collectionId: 'news', createdAt, purpose: 'retranscode' }));
  expect(given).toEqual(['dear 1', 'cheap 1']);
});

it('the deadline of an upload counts from when it came, whichever job encodes it', async () => {
  await addCollection(services, 'soon', { deadlineMinutes: 20 });
  const at = { collectionId: 'soon', createdAt: new Date().toISOString() };
  await submitJob(submission, await queued('first.mp4', at));
  await submitJob(submission, await queued('after another.mp4', { ...at, uploadedAt: inMinutes(-10) }));
  expect(given).toEqual(['cheap 1', 'dear 1']);
});

it('how many jobs wait at each engine is noted by sweep', async () => {
  await sweep(watchEngines);
  expect(await getRow(services.table, engineKeys.load, LoadRow)).toMatchObject({ waiting: { cheap: 3, dear: 3 } });
});

it('a job that its engine says is blocked goes to another after half an hour, if auto gave it there', async () => {
  const blocked = { code: 'engine_stuck' as const, message: 'Out of vCPUs.', at: LONG_AGO };
  const rows = [
    await queued('blocked.mp4', { engine: 'cheap', engineJobId: 'cheap-9', auto: true, error: blocked }),
    await queued('named.mp4', { engine: 'cheap', engineJobId: 'cheap-8', error: blocked }),
    await queued('moved.mp4', {
      engine: 'cheap',
      engineJobId: 'cheap-7',
      auto: true,
      movedFrom: ['dear'],
      error: blocked,
    }),
    await queued('not long.mp4', { engine: 'cheap', engineJobId: 'cheap-6', auto: true }),
  ];
  await sweep(repairJobs);
  const after = await Promise.all(rows.map(jobOf));
  expect(after.map((row) => [row?.state, row?.error?.code])).toEqual([
    ['failed', 'engine_down'],
    ...Array(3).fill(['queued', 'engine_stuck']),
  ]);
  expect(await getJob(services.table, rows[0]?.mediaId ?? '', 2)).toMatchObject({
    engine: 'auto',
    movedFrom: ['cheap'],
  });
  expect(given).toEqual(['cheap cancels cheap-9']);
});

it('of the engines that another one runs the workers of, none is taken for a way out of its outage or its blocked queue', async () => {
  await failsForHours();
  await submitJob(submission, await queued('down.mp4'));
  expect(given).toEqual(['dear 1']);

  const blocked = { code: 'engine_stuck' as const, message: 'Out of vCPUs.', at: LONG_AGO };
  const rows = [
    await queued('cheap.mp4', { engine: 'cheap', engineJobId: 'cheap-9', auto: true, error: blocked }),
    await queued('layered.mp4', { engine: 'layered', engineJobId: 'layered-9', auto: true, error: blocked }),
  ];
  await apply(services.table, [{ op: 'remove', key: engineKeys.engine('cheap'), expect: {} }]);
  await failsForHours('dear');
  await sweep(repairJobs);
  for (const row of rows) expect((await jobOf(row))?.state).toBe('queued');

  given = [];
  await apply(services.table, [{ op: 'remove', key: engineKeys.engine('dear'), expect: {} }]);
  for (const { mediaId } of rows) {
    const set = { todoAt: LONG_AGO, error: blocked };
    await apply(services.table, [{ op: 'update', key: rowKeys.job(mediaId, 1), expect: {}, set }]);
  }
  await sweep(repairJobs);
  for (const { mediaId } of rows) {
    const again = (await getJob(services.table, mediaId, 2)) ?? expect.fail('no other job');
    expect(again.movedFrom).toEqual(['cheap']);
    await submitJob(submission, again);
  }
  expect(given.toSorted()).toEqual(['cheap cancels cheap-9', 'dear 2', 'dear 2', 'layered cancels layered-9']);
});

it('a part that another engine takes says nothing of the outage of its own, and the other way round', async () => {
  layered = throttled;
  const encode = await Promise.all(
    [1, 2, 3].map((i) => queued(`encode ${i}.mp4`, { engine: 'layered', part: 'encode' })),
  );
  const prepare = await Promise.all([1, 2, 3, 4].map((i) => queued(`prepare ${i}.mp4`, { engine: 'layered' })));
  for (const [i, row] of encode.entries()) {
    await expect(submitJob(submission, row)).rejects.toThrow('Too many requests.');
    layered = () => 'layered-1';
    await submitJob(submission, prepare[i] ?? expect.fail('no job'));
    layered = throttled;
  }
  expect((await failing('layered'))?.failures).toBe(3);
  expect(await submitJob(submission, encode[0] ?? expect.fail('no job'))).toBe('not now');
  await expect(submitJob(submission, prepare[3] ?? expect.fail('no job'))).rejects.toThrow('Too many requests.');
  expect([(await failing('layered'))?.failures, (await failing('cheap'))?.failures]).toEqual([3, 1]);
});

it('a job whose own part its engine does not take goes to another under another number, and only by sweep', async () => {
  const row = await queued('encode.mp4', { engine: 'layered', auto: true, part: 'encode' });
  await failsForHours('layered');
  expect(await submitJob(submission, row)).toEqual({ moves: 'layered', why: 'Too many requests.' });
  expect(await jobOf(row)).toEqual(row);
  await sweep(repairJobs);
  expect(await jobOf(row)).toMatchObject({ state: 'failed', error: { code: 'engine_down' }, part: 'encode' });
  const again = (await getJob(services.table, row.mediaId, 2)) ?? expect.fail('no other job');
  await submitJob(submission, again);
  expect([again.movedFrom, ...given]).toEqual([['layered'], 'cheap 2']);
});

it('a job of which the encode is done waits for the workers that finish it, down or blocked', async () => {
  const row = await queued('finish.mp4', { engine: 'layered', auto: true, part: 'finish' });
  await failsForHours('cheap');
  expect(await submitJob(submission, row)).toBe('not now');
  const error = { code: 'engine_stuck' as const, message: 'Out of vCPUs.', at: LONG_AGO };
  const blocked = await queued('blocked finish.mp4', {
    ...{ engine: 'layered', auto: true, part: 'finish', engineJobId: 'cheap-9', error },
  });
  await sweep(repairJobs);
  for (const each of [row, blocked]) {
    expect(await jobOf(each)).toMatchObject({ state: 'queued', engine: 'layered', part: 'finish' });
  }
  expect(given).toEqual([]);
});

it('a job that is being submitted does not move, nor one that has begun since sweep read that it was blocked', async () => {
  const leased = await queued('leased.mp4', { engine: 'cheap', auto: true, submittingUntil: inMinutes(2) });
  const begun = await queued('begun.mp4', { engine: 'cheap', auto: true, engineJobId: 'cheap-9', state: 'running' });
  await failsForHours();
  await sweep(repairJobs);
  expect(await submitJob(submission, leased)).toBe('not now');
  const error = { code: 'engine_stuck' as const, message: 'Out of vCPUs.', at: LONG_AGO };
  const asRead = { ...begun, engineJobId: 'cheap-9', state: 'queued' as const, error };
  await sweep((all) => repairFromEngine(all, asRead, { kind: 'waiting', blockedBy: 'Out of vCPUs.' }));
  expect([(await jobOf(leased))?.state, (await jobOf(begun))?.state]).toEqual(['queued', 'running']);
  expect(given).toEqual([]);
});

it('a job that has begun since sweep read that it was blocked does not show that it waits', async () => {
  const begun = await queued('no error.mp4', { engine: 'cheap', engineJobId: 'cheap-9', state: 'running' });
  const asRead = { ...begun, engineJobId: 'cheap-9', state: 'queued' as const };
  await sweep((all) => repairFromEngine(all, asRead, { kind: 'waiting', blockedBy: 'Out of vCPUs.' }));
  expect(await jobOf(begun)).not.toHaveProperty('error');
});

it('a job that its engine refuses for its own sake is given up after an hour, unless an earlier submission shows meanwhile', async () => {
  const tooLarge = new EngineRefused('It is too large.', { forGood: true });
  cheap = () => {
    throw tooLarge;
  };
  const refused = await queued('refused.mp4');
  expect((await sweep(repairJobs)).jobsEscalated).toBe(1);
  expect(await jobOf(refused)).toMatchObject({ state: 'failed', error: { code: 'engine_refused' } });

  const taken = await queued('taken.mp4');
  cheap = async () => {
    const key = rowKeys.job(taken.mediaId, 1);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { engineJobId: 'cheap-9' } }]);
    throw tooLarge;
  };
  expect((await sweep(repairJobs)).jobsEscalated).toBe(0);
  expect(await jobOf(taken)).toMatchObject({ state: 'queued', engineJobId: 'cheap-9' });
});

it('a job that moves counts under caps with what the other engine is expected to cost, if there is room for that', async () => {
  cheap = throttled;
  const key = await addCollection(services, 'capped', { maxUsdPerMonth: 1.5 });
  const row = await queued('capped.mp4', { collectionId: 'capped' });
  await expect(submitJob(submission, row)).rejects.toThrow('Too many requests.');
  await failsForHours();
  expect(await submitJob(submission, row)).toBe('held');
  await apply(services.table, [{ op: 'update', key, expect: {}, set: { maxUsdPerMonth: 2 } }]);
  expect(await submitJob(submission, row)).toBe('submitted');
  const month = monthOf(new Date().toISOString());
  expect(await jobOf(row)).toMatchObject({ engine: 'dear', charged: { usd: 2, month, under: ['collection'] } });
  expect(await getRow(services.table, spentKey('ann', month, 'capped'), SpentRow)).toEqual({ usd: 2 });
});
