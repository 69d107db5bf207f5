import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { ssim } from '../../scripts/verify/media.ts';
import { makeMedia } from '../faults/media.ts';
import { eventually } from '../support/cloud.ts';
import { ContractCloud, type Dropped } from '../support/contract-cloud.ts';
import { CONTRACTED, type Contracted } from '../support/engine-rows.ts';
import { temporaryDirectory } from '../support/media.ts';
import { drop, reached, sweepNow, testVideo } from '../support/pipeline.ts';
import { pictureTimes, shapeOf } from '../support/streams.ts';

/** What every engine promises (decision 0106), whatever it is. The cloud is adverse: events come late, twice and in any order. */
const folder = await temporaryDirectory();
const { sound, broken } = await makeMedia(folder.path);
const video = await testVideo(join(folder.path, 'seven.mp4'), { seconds: 7, size: '848x480', rate: 10 });
const world = await ContractCloud.boot();
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
afterEach(() => world.releaseAll());
const { cloud } = world;

const ready = ({ mediaId }: Dropped) => reached(cloud, mediaId, 'ready', { timeoutMs: 120_000 });

/** These files as each engine has made them, once. */
const FILES = { 'seven.mp4': video, 'tone.mp3': sound.file };
const made = new Map<string, Promise<MediaRow>>();
function madeBy(engine: Contracted, name: keyof typeof FILES = 'seven.mp4'): Promise<MediaRow> {
  const known = made.get(`${engine}/${name}`) ?? world.drop(engine, name, FILES[name]).then(ready);
  made.set(`${engine}/${name}`, known);
  return known;
}
const urlOf = ({ mediaId }: MediaRow, rung: string) => `${cloud.deliveryUrl}/ann/hls/${mediaId}/v1/${rung}.m3u8`;

async function shapeWithoutId(media: MediaRow): Promise<unknown> {
  return JSON.parse(JSON.stringify(await shapeOf(cloud, media)).replaceAll(media.mediaId, '{id}'));
}

/** One job that was encoded to its end once, and its version. */
async function expectOne(dropped: Dropped): Promise<void> {
  const [media, jobs] = await world.rowsOf(dropped);
  expect(media).toMatchObject({ state: 'ready', jobCount: 1, current: { version: 1 } });
  expect(jobs).toMatchObject([{ state: 'published' }]);
  expect(world.encodes.of(dropped.jobId)).toBe(1);
}

/** Of an engine that runs a job in parts. */
const LATER_DEATHS = [
  ['track-job as it submits the second part', 'trackjobrole', 'CreateJob', 1],
  ['track-job as it submits the last part', 'trackjobrole', 'SubmitJob', 1],
] as const;

describe.each(CONTRACTED)('%s', (engine) => {
  const row = world.rows[engine];
  const parts = Object.keys(row.parts);

  it('makes every output of a video, each picture at its time', async () => {
    const media = await madeBy(engine);
    const job = await world.jobOf(await world.named(engine, 'seven.mp4'));
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
    expect(await shapeWithoutId(one)).toEqual(await shapeWithoutId(other));
    for (const rung of ['480p', '360p']) {
      expect(await ssim(urlOf(one, rung), urlOf(other, rung))).toBeGreaterThanOrEqual(0.97);
    }
  });

  it.skipIf(engine === 'batch-cpu')('makes the same of sound as batch-cpu, and the same waveform', async () => {
    const both = [await madeBy(engine, 'tone.mp3'), await madeBy('batch-cpu', 'tone.mp3')] as const;
    expect(await shapeWithoutId(both[0])).toEqual(await shapeWithoutId(both[1]));
    const waveforms = both.map(async ({ current }) => {
      const waveform = await fetch(`${cloud.deliveryUrl}/${current?.outputs.waveform}`);
      return [waveform.status, await waveform.text()];
    });
    const [there, here] = await Promise.all(waveforms);
    expect(there).toEqual(here);
    expect(there?.[0]).toBe(200);
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

  it('is as well with the events of each part twice and in the reverse order', async () => {
    let events = world.holdEvents();
    let reads: Disposable | undefined;
    const dropped = await world.drop(engine, 'reversed.mp3', sound.file);
    for (const [i, part] of parts.entries()) {
      if (i > 0) {
        // It does not end before its events are held.
        await world.untilInPart(engine, dropped, part);
        events = world.holdEvents();
        reads?.[Symbol.dispose]();
      }
      await world.untilAtEngine(engine, dropped, 'ended', 'continues');
      const told = (await world.takeEvents()).filter((event) => event.includes(dropped.mediaId)).reverse();
      expect(told.length).toBeGreaterThan(1);
      const next = parts[i + 1];
      if (next) reads = world.holdPart(engine, next, dropped);
      events.release();
      await world.sendEvents([...told, ...told]);
    }
    await ready(dropped);
    await expectOne(dropped);
  });

  it('is as well without its events, and an hour late they change nothing', async () => {
    using held = world.holdEvents();
    const dropped = await world.drop(engine, 'unheard.mp3', sound.file);
    await world.sweptUntilReady(engine, dropped);
    await expectOne(dropped);
    const late = (await world.takeEvents()).filter((event) => event.includes(dropped.mediaId));
    expect(late.length).toBeGreaterThan(parts.length);
    held.release();
    await world.allTaken();
    const before = await world.rowsOf(dropped);
    cloud.clock.advance(3_600_000);
    await world.sendEvents([...late, ...late]);
    await world.allTaken();
    expect(await world.rowsOf(dropped)).toEqual(before);
  });

  it.each(parts)('ends a job of a deleted media item in its part %s at once', async (part) => {
    const name = `deleted-${part}.mp3`;
    using _ = world.holdPart(engine, part, await world.named(engine, name));
    const dropped = await world.drop(engine, name, sound.file);
    const id = await world.untilInPart(engine, dropped, part);
    await world.remove(dropped);
    // Before sweep runs.
    await world.untilCancelled(engine, id);
    await eventually('its job has ended', async () => (await world.jobOf(dropped))?.state === 'cancelled', 60_000);
  });

  it.each(parts)('ends a job of a deleted media item whose part %s was being submitted', async (part) => {
    const name = `submitting-${part}.mp3`;
    const dropped = await world.named(engine, name);
    const earlier = parts[parts.indexOf(part) - 1];
    const held = earlier === undefined ? undefined : world.holdPart(engine, earlier, dropped);
    if (held) await world.drop(engine, name, sound.file);
    if (held && earlier) await world.untilInPart(engine, dropped, earlier);
    using submissions = world.holdSubmissions(engine, part);
    if (held) held.release();
    else await world.drop(engine, name, sound.file);
    const isSubmitting = (job: JobRow | undefined) =>
      job?.submittingUntil !== undefined && job.engineJobId === undefined && (job.part ?? parts[0])?.startsWith(part);
    await eventually('it is being submitted', async () => isSubmitting(await world.jobOf(dropped)), 60_000);
    await world.remove(dropped);
    await eventually('its job has ended', async () => (await world.jobOf(dropped))?.state === 'cancelled', 60_000);
    const before = new Set(await row.engineJobs(dropped.jobId));
    submissions.release();
    const made = await eventually('the engine has it', async () => {
      return (await row.engineJobs(dropped.jobId)).find((id) => !before.has(id));
    });
    await world.untilCancelled(engine, made);
    expect(world.encodes.of(dropped.jobId)).toBe(0);
  });

  it('ends a job of a deleted media item that waits, by sweep alone, and leaves one that has ended as it is', async () => {
    using _ = world.holdReads('first.mp3');
    const first = await world.drop(engine, 'first.mp3', sound.file);
    await world.untilAtEngine(engine, first, 'running');
    const waiting = await world.drop(engine, 'waiting.mp3', sound.file);
    await world.untilAtEngine(engine, waiting, 'waiting');
    const events = world.holdEvents();
    for (const dropped of [waiting, first]) {
      const id = await world.idAtEngine(dropped);
      await world.remove(dropped);
      await world.untilCancelled(engine, id, () => sweepNow(cloud));
    }
    events.release();
    const { mediaId } = await madeBy(engine);
    const ended = { name: 'seven.mp4', mediaId, jobId: `${mediaId}-1` };
    const before = await world.atEngine(engine, ended);
    await row.engine.cancel(await world.idAtEngine(ended), 'the job is over');
    expect(await world.atEngine(engine, ended)).toEqual(before);
  });

  it('ends a re-transcode in any of its parts at once when a newer upload takes over', async () => {
    const name = 'replaced.mp3';
    const dropped = await world.drop(engine, name, sound.file);
    await ready(dropped);
    for (const [i, part] of parts.entries()) {
      const n = 2 * i + 2;
      const job = { ...dropped, jobId: `${dropped.mediaId}-${n}` };
      using held = world.holdPart(engine, part, job);
      await world.retranscode(dropped, n);
      const id = await world.untilInPart(engine, job, part);
      // Nothing but ingest-upload can end it: no event arrives, and sweep does not run.
      using events = world.holdEvents();
      await drop(cloud, `drop/ann/${engine}/${name}`, { file: sound.file });
      await world.untilCancelled(engine, id);
      held.release();
      events.release();
      await reached(cloud, dropped.mediaId, 'ready', { jobs: n + 1, timeoutMs: 120_000 });
      expect(await world.jobOf(job)).toMatchObject({ state: 'cancelled', error: { code: 'source_changed' } });
      expect(world.encodes.of(job.jobId)).toBe(0);
    }
  });

  it('fails a file that cannot be encoded with its reason, once, and a job that was stopped with another', async () => {
    const bad = await world.drop(engine, 'broken.mp4', broken.file);
    using _ = world.holdReads('stopped');
    const stopped = await world.drop(engine, 'stopped.mp3', sound.file);
    await world.untilAtEngine(engine, stopped, 'running');
    await row.engine.cancel(await world.idAtEngine(stopped), 'the job is over');
    for (const [dropped, code] of [
      [bad, 'corrupt'],
      [stopped, 'cancelled'],
    ] as const) {
      // Without the clock: the engine says so, or its worker.
      const media = await reached(cloud, dropped.mediaId, 'failed');
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
    ...(parts.length > 1 ? LATER_DEATHS : []),
  ] as const)('makes its outputs though %s dies', async (_, who, operation, nth) => {
    const kill = who === 'role' ? () => row.kill() : () => cloud.lambda.kill('trackjob');
    const death = world.killAt({ who, operation, nth, kill });
    const dropped = await world.drop(engine, `killed-${operation}.mp3`, sound.file);
    await world.reachedInTime(engine, dropped, 'ready');
    expect(death.happened()).toBe(true);
    await expectOne(dropped);
  });
});
