import { describe, expect, it, vi } from 'vitest';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { PublishMessage } from '../../core/contracts/events.ts';
import { contentOf, PRESETS } from '../../core/contracts/presets.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { PresetRow, RollOutRow } from '../../core/contracts/table/presets.ts';
import { changePreset } from '../../core/jobs/presets.ts';
import { type Order, order, startRollOut } from '../../core/jobs/roll-out.ts';
import { flagMedia } from '../../core/jobs/transitions.ts';
import { startRetranscodes } from '../../functions/sweep/retranscodes.ts';
import { driveRollOuts } from '../../functions/sweep/roll-outs.ts';
import type { Part } from '../../functions/sweep/sweep.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { changeOf, EARLIER, source, version } from '../support/factories.ts';
import { QUEUES } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addCollection, addJob, addMedia, received, sweepWith } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand();

const content = contentOf(PRESETS.compact ?? expect.fail('no preset'));
const made = { preset: { name: 'team', version: 1 } };
const key = rowKeys.rollOut('ann', 'team');
let minutes = 0;

/** One run of this part of sweep, when it is due again. */
async function run(parts: readonly Part[] = [driveRollOuts]) {
  minutes += 6;
  const now = new Date(Date.now() + minutes * 60_000).toISOString();
  return sweepWith(services, world, now, () => 265_000, parts);
}

/** A preset, and media of one collection that were encoded by another. */
async function library(count: number): Promise<MediaRow[]> {
  const { change } = changePreset(null, 0, { creatorId: 'ann', name: 'team', content, now: new Date().toISOString() });
  await apply(services.table, change);
  await addCollection(services, 'talks', { preset: 'team' });
  const media = [];
  for (let i = 0; i < count; i++) media.push(await addMedia(services, 'talks', `${i}.mp4`));
  return media;
}

async function begin(samplePercent: number) {
  const asked = { creatorId: 'ann', name: 'team', version: 1, samplePercent };
  const outcome = startRollOut(await rollOutOrNull(), asked, new Date().toISOString());
  await apply(services.table, 'change' in outcome ? outcome.change : expect.fail(outcome.refused));
}

const rollOutOrNull = () => getRow(services.table, key, RollOutRow);
const rollOut = async () => (await rollOutOrNull()) ?? expect.fail('no roll-out');
const rowOf = async ({ mediaId }: { mediaId: string }) => (await getMedia(services.table, mediaId)) ?? expect.fail();

async function ordered(what: Order) {
  const outcome = order(await rollOut(), what, new Date().toISOString());
  await apply(services.table, 'change' in outcome ? outcome.change : expect.fail(outcome.refused));
}

/** What becomes of media that were flagged, as a re-transcode leaves them. */
async function end(media: readonly { mediaId: string }[], how: 'published' | 'failed') {
  for (const { mediaId } of media) {
    const { current = version(1) } = await rowOf({ mediaId });
    const at = '2999-01-01T00:00:00.000Z';
    const set: Partial<MediaRow> =
      how === 'published'
        ? {
            current: version(2, { ...made, jobId: `${mediaId}-2`, source: current.source }),
            previous: { ...current, expiresAt: at },
          }
        : { error: { code: 'corrupt', message: 'It is damaged.', at } };
    const done = { ...set, scheduleRetranscode: false };
    const update = { op: 'update' as const, key: rowKeys.media(mediaId), expect: { scheduleRetranscode: true } };
    const ended = await apply(services.table, [{ ...update, set: done, remove: ['todo', 'todoAt'] }]);
    expect(ended, `${mediaId} was flagged`).toBe('applied');
  }
}

/** The job of a media item that was flagged, as a re-transcode starts it. */
async function encode(of: MediaRow, more: Partial<JobRow>) {
  const job = await addJob(services, of, { n: 2, purpose: 'retranscode', ...more });
  const set = { state: 'retranscoding' as const, jobId: job.jobId, jobCount: 2, scheduleRetranscode: false };
  const remove = ['todo', 'todoAt', 'flaggedByRollOut'] as const;
  const key = rowKeys.media(of.mediaId);
  await apply(services.table, [{ op: 'update', key, expect: { scheduleRetranscode: true }, set, remove }]);
}

/** All that were asked for. */
async function rollbacks(): Promise<PublishMessage[]> {
  const messages: PublishMessage[] = [];
  for (let some = await received(services, QUEUES.publish); some.length > 0; ) {
    messages.push(...some.map((message) => PublishMessage.parse(message)));
    some = await received(services, QUEUES.publish);
  }
  return messages;
}

async function flagged(all: readonly MediaRow[]): Promise<MediaRow[]> {
  const rows = await Promise.all(all.map(rowOf));
  return rows.filter(({ scheduleRetranscode }) => scheduleRetranscode);
}

describe('a roll-out', () => {
  it('encodes a sample, waits, goes on, and is put back', async () => {
    const all = await library(4);
    await begin(0.0001);
    expect(await run()).toMatchObject({ rollOutSteps: 1, mediaFlagged: 1 });
    const [first, ...more] = await flagged(all);
    expect(more).toEqual([]);
    expect(await rollOut()).toMatchObject({ state: 'sampling', taken: 1, batch: [first?.mediaId], listed: true });
    await end([first ?? expect.fail()], 'published');
    await run();
    expect(await rollOut()).toMatchObject({
      ...{ state: 'waiting', done: 1, failed: 0, batch: [] },
      report: [{ mediaId: first?.mediaId, before: { version: 1 }, after: { version: 2 } }],
    });
    expect(await run()).toMatchObject({ rollOutSteps: 0 });

    await ordered('go-on');
    expect(await run()).toMatchObject({ mediaFlagged: 3 });
    await end(await flagged(all), 'published');
    await run();
    expect(await rollOut()).toMatchObject({ state: 'done', done: 4, taken: 4 });

    await ordered('put-back');
    // By then the collection has another preset.
    const collection = rowKeys.collection('ann', 'talks');
    await apply(services.table, [{ op: 'update', key: collection, expect: {}, set: { preset: 'standard' } }]);
    await run();
    expect(await rollOut()).toMatchObject({ state: 'put-back', putBack: 4 });
    const messages = await rollbacks();
    expect(messages.map(({ jobId }) => jobId).sort()).toEqual(all.map(({ mediaId }) => `${mediaId}-2`).sort());
    expect(messages.every(({ rollback }) => rollback)).toBe(true);
  });

  it('stops by itself when failures rise: what is not begun loses its flag', async () => {
    const all = await library(6);
    await begin(100);
    await run();
    const [a, b, c, ...rest] = await flagged(all);
    expect(rest).toHaveLength(3);
    await end(
      [a, b, c].map((media) => media ?? expect.fail()),
      'failed',
    );
    await run();
    expect(await rollOut()).toMatchObject({
      state: 'stopped',
      why: '3 of 3 have failed: that is more than one in 10.',
    });
    expect(await flagged(all)).toEqual([]);
    await run();
    expect(await rollOut()).toMatchObject({ state: 'stopped', failed: 3, skipped: 3, batch: [] });
    expect((await rollOut()).todo).toBeUndefined();

    await ordered('go-on');
    await run();
    expect(await flagged(all)).toHaveLength(6);
  });

  it('stops when the preset gets another version', async () => {
    const all = await library(2);
    await begin(100);
    const before = await getRow(services.table, rowKeys.preset('ann', 'team'), PresetRow);
    const change = { creatorId: 'ann', name: 'team', content: { ...content, crf: 30 }, now: new Date().toISOString() };
    await apply(services.table, changePreset(before, 1, change).change);
    await run();
    expect(await rollOut()).toMatchObject({ state: 'stopped', why: 'The preset has version 2 by now.', batch: [] });
    expect(await flagged(all)).toEqual([]);
  });

  it('takes a sample of each collection, not all of the first', async () => {
    await library(0);
    await addCollection(services, 'zoo', { preset: 'team' });
    for (const collectionId of ['talks', 'zoo']) {
      for (let i = 0; i < 60; i++) await addMedia(services, collectionId, `${i}.mp4`);
    }
    await begin(99.9999);
    await run();
    await run();
    const rows = await Promise.all((await rollOut()).batch.map((mediaId) => rowOf({ mediaId })));
    const of = (name: string) => rows.filter(({ collectionId }) => collectionId === name).length;
    expect([of('talks'), of('zoo')]).toEqual([50, 50]);
  });

  it('leaves a flag alone that a person has set, too', async () => {
    const [a, b] = await library(2);
    const first = flagMedia(await rowOf(a ?? expect.fail()), new Date().toISOString());
    await apply(services.table, changeOf(first));
    await begin(100);
    await run();
    const second = flagMedia(await rowOf(b ?? expect.fail()), new Date().toISOString());
    await apply(services.table, changeOf(second));
    await ordered('stop');
    await run();
    expect(await rollOut()).toMatchObject({ state: 'stopped', skipped: 2, batch: [] });
    expect(await flagged([a ?? expect.fail(), b ?? expect.fail()])).toHaveLength(2);
  });

  it('is put back at once: what has not begun is ended, and what ends later follows', async () => {
    const all = await library(3);
    const [a, held, running] = all as [MediaRow, MediaRow, MediaRow];
    await begin(100);
    await run();
    await end([a], 'published');
    await encode(held, { state: 'queued', engineJobId: undefined, todo: 'held-job' });
    await encode(running, { state: 'running' });
    await ordered('stop');
    await ordered('put-back');
    await run();
    expect((await rollbacks()).map(({ jobId }) => jobId)).toEqual([`${a.mediaId}-2`]);
    expect(await getJob(services.table, held.mediaId, 2)).toMatchObject({ state: 'cancelled' });
    expect(await rowOf(held)).toMatchObject({ state: 'ready', current: { version: 1 } });
    expect(await getJob(services.table, running.mediaId, 2)).toMatchObject({ state: 'running' });
    await run();
    expect(await rollOut()).toMatchObject({ state: 'putting-back', batch: [running.mediaId], failed: 0, skipped: 1 });

    const { current = expect.fail() } = await rowOf(running);
    const set = {
      ...{
        state: 'ready' as const,
        current: version(2, { ...made, jobId: `${running.mediaId}-2`, source: current.source }),
      },
      previous: { ...current, expiresAt: '2999-01-01T00:00:00.000Z' },
    };
    await apply(services.table, [{ op: 'update', key: rowKeys.media(running.mediaId), expect: {}, set }]);
    await run();
    expect((await rollbacks()).map(({ jobId }) => jobId)).toEqual([`${running.mediaId}-2`]);
    expect(await rollOut()).toMatchObject({ state: 'put-back', putBack: 2, done: 2, batch: [] });
  });

  it.each([
    ['its collection has another preset', 'collection'],
    ['its preset has another version', 'preset'],
    ['a new upload was encoded by its version', 'upload'],
  ] as const)('encodes nothing of its own flags once %s', async (_, what) => {
    const all = await library(1);
    const [one] = all as [MediaRow];
    await begin(100);
    await run();
    expect(await flagged(all)).toHaveLength(1);
    if (what === 'collection') {
      const collection = rowKeys.collection('ann', 'talks');
      await apply(services.table, [{ op: 'update', key: collection, expect: {}, set: { preset: 'standard' } }]);
    } else if (what === 'preset') {
      const before = await getRow(services.table, rowKeys.preset('ann', 'team'), PresetRow);
      const change = {
        creatorId: 'ann',
        name: 'team',
        content: { ...content, crf: 30 },
        now: new Date().toISOString(),
      };
      await apply(services.table, changePreset(before, 1, change).change);
    } else {
      const set = { current: version(2, { ...made, source: source({ versionId: 'v-b' }) }) };
      await apply(services.table, [{ op: 'update', key: rowKeys.media(one.mediaId), expect: {}, set }]);
    }
    expect(await run([startRetranscodes])).toMatchObject({ retranscodesStarted: 0, errors: 0 });
    expect(await rowOf(one)).toMatchObject({ scheduleRetranscode: false, jobCount: 1 });
  });

  it('waits where DynamoDB throttles a flag, and sets the rest', async () => {
    const all = await library(4);
    await begin(100);
    let updates = 0;
    services.onCall = (when, { operation }) => {
      // The first writes the step; the SDK tries each of the others three times.
      if (when !== 'before' || operation !== 'UpdateItem' || ++updates === 1 || updates > 13) return;
      throw new AwsError('ProvisionedThroughputExceededException', 400, 'Slow down.');
    };
    expect(await run()).toMatchObject({ mediaFlagged: 4, errors: 0 });
    services.onCall = () => {};
    expect(updates).toBeGreaterThan(13);
    expect(await flagged(all)).toHaveLength(4);
  });

  it('that is driven by two runs at once takes each step once', async () => {
    const all = await library(5);
    await begin(100);
    const reports = await Promise.all([run(), run()]);
    expect(reports.map(({ rollOutSteps }) => rollOutSteps).sort()).toEqual([0, 1]);
    expect(await rollOut()).toMatchObject({ step: 2, taken: 5 });
    await end(await flagged(all), 'published');
    await Promise.all([run(), run()]);
    expect(await rollOut()).toMatchObject({ state: 'done', done: 5 });
  });

  const OPERATIONS = ['GetItem', 'BatchGetItem', 'Query', 'UpdateItem', 'SendMessage'];
  it.each(
    OPERATIONS.flatMap((operation) => (['before', 'after'] as const).map((moment) => [moment, operation] as const)),
  )('that is killed %s any %s goes on, and loses and doubles nothing', async (moment, operation) => {
    const all = await library(3);
    await begin(100);
    let killed = 0;
    /** Runs that are killed at the first such call, at the second and so on. */
    const killedRuns = async (runs: number) => {
      for (let at = 1; at <= runs; at++) {
        let calls = 0;
        services.onCall = (when, call) => {
          if (when !== moment || call.operation !== operation || ++calls !== at) return;
          killed += 1;
          throw new Error('killed');
        };
        await run().catch(() => undefined);
      }
      services.onCall = () => {};
    };
    await killedRuns(8);
    await run();
    await end(await flagged(all), 'published');
    await run();
    expect(await rollOut()).toMatchObject({ state: 'done', taken: 3, done: 3, failed: 0, skipped: 0 });
    await ordered('put-back');
    await killedRuns(4);
    await run();
    expect(await rollOut()).toMatchObject({ state: 'put-back' });
    const messages = (await rollbacks()).map(({ jobId }) => jobId);
    expect(new Set(messages)).toEqual(new Set(all.map(({ mediaId }) => `${mediaId}-2`)));
    expect(killed).toBeGreaterThan(0);
  });
});

it('a creator makes ten thousand versions of presets, and no more', async () => {
  const count = rowKeys.presetCount('eve');
  await apply(services.table, [{ op: 'put', key: count, row: { type: 'preset-count', versions: 9_999 } }]);
  const change = (name: string) => changePreset(null, 0, { creatorId: 'eve', name, content, now: EARLIER }).change;
  expect(await apply(services.table, change('last'))).toBe('applied');
  expect(await apply(services.table, change('beyond'))).toBe('lost');
  expect(await getRow(services.table, rowKeys.preset('eve', 'beyond'), PresetRow)).toBeNull();
});
