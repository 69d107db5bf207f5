import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { makeMedia } from '../faults/media.ts';
import { eventually } from '../support/cloud.ts';
import { ContractCloud, type Dropped } from '../support/contract-cloud.ts';
import { CONTRACTED, type Contracted } from '../support/engine-rows.ts';
import { temporaryDirectory } from '../support/media.ts';
import { reached, sweepUntil, testVideo } from '../support/pipeline.ts';
import { pictureTimes, shapeOf, ssim } from '../support/streams.ts';

/** What every engine promises (decision 0106), whatever it is. The cloud is adverse: events come late, twice and in any order. */
const folder = await temporaryDirectory();
const { sound, broken } = await makeMedia(folder.path);
const video = await testVideo(join(folder.path, 'seven.mp4'), { seconds: 7, size: '848x480', rate: 10 });
const world = await ContractCloud.boot();
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const { cloud } = world;

const ready = ({ mediaId }: Dropped) => reached(cloud, mediaId, 'ready', { timeoutMs: 120_000 });

/** The video as each engine has made it, once. */
const made = new Map<Contracted, Promise<MediaRow>>();
function madeBy(engine: Contracted): Promise<MediaRow> {
  const known = made.get(engine) ?? world.drop(engine, 'seven.mp4', video).then(ready);
  made.set(engine, known);
  return known;
}
const urlOf = ({ mediaId }: MediaRow, rung: string) => `${cloud.deliveryUrl}/ann/hls/${mediaId}/v1/${rung}.m3u8`;

/** One job that was encoded to its end once, and its version. */
async function expectOne(dropped: Dropped): Promise<void> {
  const [media, jobs] = await world.rowsOf(dropped);
  expect(media).toMatchObject({ state: 'ready', jobCount: 1, current: { version: 1 } });
  expect(jobs).toMatchObject([{ state: 'published' }]);
  expect(world.encodes.of(dropped.jobId)).toBe(1);
}

describe.each(CONTRACTED)('%s', (engine) => {
  const row = world.rows[engine];

  it('makes every output of a video, each picture at its time', async () => {
    const media = await madeBy(engine);
    const [[job]] = [(await world.rowsOf({ mediaId: media.mediaId, jobId: '' }))[1]];
    expect(job).toMatchObject({ engine, steps: [{ name: 'pulled' }, { name: 'transcoded' }, { name: 'pushed' }] });
    expect(job?.cost?.usd).toBeGreaterThan(0);
    const shape = await shapeOf(cloud, media);
    expect(shape.outputs).toEqual(['dash', 'master', 'mp4', 'poster', 'posterLarge', 'preview', 'thumbnail']);
    expect(shape.renditions.map(({ name, width, height }) => [name, width, height])).toEqual([
      ['480p', 848, 480],
      ['360p', 636, 360],
    ]);
    for (const lines of Object.values(shape.playlists)) {
      expect(lines.filter((line) => /TARGETDURATION|EXTINF/.test(line))).toEqual([
        ...['#EXT-X-TARGETDURATION:6', '#EXTINF:6.000000,', '#EXTINF:1.000000,'],
      ]);
    }
    const times = Array.from({ length: 70 }, (_, i) => i / 10);
    for (const rung of ['480p', '360p']) {
      const shown = await pictureTimes(urlOf(media, rung));
      expect(shown.map((time) => Math.round(time * 1000) / 1000)).toEqual(times);
    }
  });

  it.skipIf(engine === 'batch-cpu')('makes the same as batch-cpu, and its pictures are alike', async () => {
    const [one, other] = [await madeBy(engine), await madeBy('batch-cpu')];
    const shape = async (media: MediaRow) =>
      JSON.parse(JSON.stringify(await shapeOf(cloud, media)).replaceAll(media.mediaId, '{id}'));
    expect(await shape(one)).toEqual(await shape(other));
    for (const rung of ['480p', '360p']) {
      expect(await ssim(urlOf(one, rung), urlOf(other, rung))).toBeGreaterThanOrEqual(0.97);
    }
  });

  it('makes one job of two submissions, the first of which was not answered', async () => {
    row.loseAnswers(true);
    const dropped = await world.drop(engine, 'unanswered.mp3', sound.file);
    await eventually('it has the job', async () => (await row.engineJobs(dropped.jobId)).length > 0, 60_000);
    await eventually('the function has failed', async () => cloud.lambda.running().length === 0, 60_000);
    row.loseAnswers(false);
    await world.reachedInTime(engine, dropped, 'ready');
    await expectOne(dropped);
  });

  it('is as well with its events twice and in the reverse order, as without them; an hour late they change nothing', async () => {
    using held = world.holdEvents();
    const [reversed, unheard] = [
      await world.drop(engine, 'reversed.mp3', sound.file),
      await world.drop(engine, 'unheard.mp3', sound.file),
    ];
    for (const dropped of [reversed, unheard]) await world.untilAtEngine(engine, dropped, 'ended');
    const events = await world.takeEvents();
    const of = ({ mediaId }: Dropped) => events.filter((event) => event.includes(mediaId)).reverse();
    expect(of(reversed).length).toBeGreaterThan(1);
    expect(of(unheard).length).toBeGreaterThan(1);
    held.release();
    await world.sendEvents([...of(reversed), ...of(reversed)]);
    await ready(reversed);
    await expectOne(reversed);
    await world.sweptUntilReady(unheard);
    await expectOne(unheard);
    await world.allTaken();
    const before = await world.rowsOf(unheard);
    cloud.clock.advance(3_600_000);
    await world.sendEvents([...of(unheard), ...of(unheard)]);
    await world.allTaken();
    expect(await world.rowsOf(unheard)).toEqual(before);
  });

  it('cancels a job that runs, and one that waits; one that has ended stays as it is', async () => {
    using held = world.holdSources('cancelled');
    const running = await world.drop(engine, 'cancelled-running.mp3', sound.file);
    await world.untilAtEngine(engine, running, 'running');
    const waiting = await world.drop(engine, 'cancelled-waiting.mp3', sound.file);
    await world.untilAtEngine(engine, waiting, 'waiting');
    for (const dropped of [waiting, running]) {
      const id = await world.idAtEngine(dropped);
      await world.remove(dropped);
      const state = async () => (await row.engine.describe([id])).get(id);
      await sweepUntil(cloud, 'it has ended', async () => (await state())?.kind === 'ended');
      const ended = await state();
      expect(ended?.kind === 'ended' && ended.end).toMatchObject({ by: 'outside', reason: { code: 'cancelled' } });
    }
    held.release();
    const { mediaId } = await madeBy(engine);
    const ended = { mediaId, jobId: `${mediaId}-1` };
    const before = await world.atEngine(engine, ended);
    await row.engine.cancel(await world.idAtEngine(ended), 'the job is over');
    expect(await world.atEngine(engine, ended)).toEqual(before);
  });

  it('fails a file that cannot be encoded with its reason, once, and a job that was stopped with another', async () => {
    const bad = await world.drop(engine, 'broken.mp4', broken.file);
    using held = world.holdSources('stopped');
    const stopped = await world.drop(engine, 'stopped.mp3', sound.file);
    await world.untilAtEngine(engine, stopped, 'running');
    await row.engine.cancel(await world.idAtEngine(stopped), 'the job is over');
    held.release();
    for (const [dropped, code] of [
      [bad, 'corrupt'],
      [stopped, 'cancelled'],
    ] as const) {
      const media = await world.reachedInTime(engine, dropped, 'failed');
      expect(media).toMatchObject({ jobCount: 1, error: { code } });
      expect(world.encodes.of(dropped.jobId)).toBe(0);
    }
  });

  it('has one job though ingest-upload dies as it notes the submission', async () => {
    // Events would note the job before.
    using held = world.holdEvents();
    const kill = () => cloud.lambda.kill('ingestupload');
    const death = world.killAt({ who: 'ingestuploadrole', operation: 'TransactWriteItems', nth: 2, kill });
    const dropped = await world.drop(engine, 'killed-ingest.mp3', sound.file);
    await eventually('it is dead', async () => death.happened(), 60_000);
    held.release();
    await world.reachedInTime(engine, dropped, 'ready');
    await expectOne(dropped);
  });

  it.each([
    ['the worker at its second file', 'role', 'PutObject', 2],
    ['track-job as it asks to publish', 'trackjobrole', 'SendMessage', 1],
  ] as const)('makes its outputs though %s dies', async (_, who, operation, nth) => {
    const kill = who === 'role' ? () => row.kill() : () => cloud.lambda.kill('trackjob');
    const death = world.killAt({ who, operation, nth, kill });
    const dropped = await world.drop(engine, `killed-${operation}.mp3`, sound.file);
    await world.reachedInTime(engine, dropped, 'ready');
    expect(death.happened()).toBe(true);
    await expectOne(dropped);
  });
});
