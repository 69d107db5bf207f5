import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Estimate } from '../../core/contracts/http/estimate.ts';
import { PresetView, RollOutView } from '../../core/contracts/http/presets.ts';
import { Problem } from '../../core/contracts/problems.ts';
import { type Api, apiAs, OPERATOR } from '../support/api.ts';
import { brokenRules } from '../support/by-the-book.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { dropreel, homeFor } from '../support/command.ts';
import {
  drop,
  makeClip,
  probe,
  reached,
  readJobs,
  readMedia,
  sweepUntil,
  sweepUntilJob,
  testVideo,
} from '../support/pipeline.ts';

const SMALL = {
  rungs: [
    { shortSide: 240, maxBitrate: 400_000, audio: '128k' },
    { shortSide: 144, maxBitrate: 150_000, audio: '64k' },
  ],
  crf: 30,
  maxFrameRate: 30,
  segmentSeconds: 4,
  outputs: { mp4: false, preview: false, thumbnail: false, posterLarge: false },
};

let booted: Awaited<ReturnType<typeof testCloud>>;
let folder: string;
let ann: Api;
let operator: Api;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-presets-'));
  booted = await testCloud();
  ann = await apiAs(booted.cloud, 'ann');
  operator = await apiAs(booted.cloud, 'olga', OPERATOR);
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const put = (name: string, body: object, headers: Record<string, string> = {}, query = '') =>
  ann('PUT', `/presets/${name}${query}`, { body, headers });
const problem = ({ body }: { body: unknown }) => Problem.parse(body);

describe('presets of a creator', () => {
  it('have versions, of which none is ever changed', async () => {
    const first = await put('life', SMALL, { 'If-None-Match': '*' });
    expect([first.status, first.headers.get('ETag')]).toEqual([200, '"1"']);
    expect(first.body).toMatchObject({ name: 'life', builtIn: false, creatorId: 'ann', version: 1, crf: 30 });
    expect((await put('life', { ...SMALL, crf: 20 }, { 'If-None-Match': '*' })).status).toBe(412);
    expect((await put('life', { ...SMALL, crf: 20 }, { 'If-Match': '"7"' })).status).toBe(412);
    const second = await put('life', { ...SMALL, crf: 20 }, { 'If-Match': '"1"' });
    expect(second.body).toMatchObject({ version: 2, crf: 20 });
    // The answer to the request before was lost, and it is sent again.
    expect((await put('life', { ...SMALL, crf: 20 }, { 'If-Match': '"1"' })).body).toMatchObject({ version: 2 });
    expect((await ann('GET', '/presets/life?version=1')).body).toMatchObject({ version: 1, crf: 30 });
    expect((await ann('GET', '/presets/life')).body).toMatchObject({ version: 2, users: { collections: [], more: 0 } });

    expect((await ann('DELETE', '/presets/life')).status).toBe(204);
    expect((await ann('GET', '/presets/life')).status).toBe(404);
    expect((await ann('GET', '/presets/life?version=2')).body).toMatchObject({ version: 2, crf: 20 });
    expect((await put('life', { ...SMALL, crf: 25 })).body).toMatchObject({ version: 3, crf: 25 });
    expect((await ann('GET', '/presets/life?version=1')).body).toMatchObject({ crf: 30 });
  });

  it('are made once of two that are put at one moment, and changed once', async () => {
    const made = await Promise.all([20, 21].map((crf) => put('race', { ...SMALL, crf }, { 'If-None-Match': '*' })));
    expect(made.map(({ status }) => status).sort()).toEqual([
      200,
      expect.toSatisfy((status) => status === 409 || status === 412),
    ]);
    const changed = await Promise.all([22, 23].map((crf) => put('race', { ...SMALL, crf }, { 'If-Match': '"1"' })));
    expect(changed.map(({ status }) => status).sort()).toEqual([
      200,
      expect.toSatisfy((status) => status === 409 || status === 412),
    ]);
    expect((await ann('GET', '/presets/race')).body.version).toBe(2);
  });

  it('are theirs: others neither see nor use them, and built-in ones nobody changes', async () => {
    await put('mine', SMALL);
    const eve = await apiAs(booted.cloud, 'eve');
    expect((await eve('GET', '/presets/mine')).status).toBe(404);
    const { status, body } = await eve('POST', '/collections', { body: { id: 'a', preset: 'mine' } });
    expect([status, problem({ body }).errors?.[0]?.path]).toEqual([400, 'body.preset']);
    expect((await eve('GET', '/presets?creatorId=ann')).status).toBe(403);
    expect((await operator('GET', '/presets/mine?creatorId=ann')).body).toMatchObject({ creatorId: 'ann', version: 1 });
    for (const method of ['PUT', 'DELETE']) {
      const answer = await ann(method, '/presets/standard', method === 'PUT' ? { body: SMALL } : {});
      expect([answer.status, problem(answer).code]).toEqual([409, 'read_only']);
    }
    expect((await put('dropreel-new', SMALL)).status).toBe(400);
    const { items } = z.object({ items: z.array(PresetView) }).parse((await ann('GET', '/presets')).body);
    expect(items.map(({ name }) => name)).toEqual(['standard', 'uhd', 'compact', 'life', 'mine', 'race']);
  });

  it('that a collection uses are changed on confirmation only, and not deleted', async () => {
    await put('used', SMALL);
    expect((await ann('POST', '/collections', { body: { id: 'talks', preset: 'used' } })).status).toBe(201);
    const refused = await put('used', { ...SMALL, crf: 22 });
    expect(refused.status).toBe(409);
    expect(problem(refused)).toMatchObject({
      code: 'preset_in_use',
      errors: [{ path: 'collections.talks', message: '0 media' }],
    });
    expect(problem(await ann('DELETE', '/presets/used')).code).toBe('preset_in_use');
    expect((await put('used', { ...SMALL, crf: 22 }, {}, '?confirm=true')).body).toMatchObject({ version: 2 });
    expect((await ann('PATCH', '/collections/talks', { body: { preset: 'standard' } })).status).toBe(200);
    expect((await ann('DELETE', '/presets/used')).status).toBe(204);
    expect((await ann('PATCH', '/collections/talks', { body: { preset: 'used' } })).status).toBe(400);
  });

  it('are never deleted from under a collection that takes one at that moment', async () => {
    for (let round = 0; round < 4; round++) {
      await put('brief', { ...SMALL, crf: 20 + round });
      const id = `brief-${round}`;
      const [gone, made] = await Promise.all([
        ann('DELETE', '/presets/brief'),
        ann('POST', '/collections', { body: { id, preset: 'brief' } }),
      ]);
      expect([gone.status === 204, made.status === 201]).not.toEqual([true, true]);
      expect((await ann('GET', '/presets/brief')).status).toBe(gone.status === 204 ? 404 : 200);
      if (made.status === 201) await ann('DELETE', `/collections/${id}`);
    }
  });

  it('are refused by their fields', async () => {
    const answer = await put('odd', { ...SMALL, crf: 0, segmentSeconds: 5 });
    expect(answer.status).toBe(400);
    expect(problem(answer).errors).toEqual([
      { path: 'body.crf', message: '0 was given; allowed is 10 to 40' },
      { path: 'body.segmentSeconds', message: '5 was given; allowed is 2, 4, 6, 8, 10 (seconds)' },
    ]);
  });
});

describe('a job', () => {
  it('is encoded by the version that it was made for, and a re-transcode by the present one', async () => {
    const { cloud } = booted;
    await put('made', SMALL);
    await operator('POST', '/collections', {
      body: { id: 'films', creatorId: 'ann', preset: 'made', maxUsdPerMonth: 0 },
    });
    const file = await makeClip(
      join(folder, 'clip.mp4'),
      ...['-f', 'lavfi', '-i', 'testsrc2=size=426x240:rate=50:duration=9'],
      ...['-f', 'lavfi', '-i', 'sine=duration=9', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    );
    const id = await drop(cloud, 'drop/ann/films/clip.mp4', { file });
    await eventually('it is held by the cap', async () => (await readMedia(cloud, id))?.error?.code === 'cap_reached');
    const next = { ...SMALL, rungs: SMALL.rungs.slice(1), maxFrameRate: 60, segmentSeconds: 2 };
    expect((await put('made', next, {}, '?confirm=true')).body).toMatchObject({ version: 2 });
    // The index that media are counted by lags.
    await eventually('its media are counted', async () => {
      const { users } = PresetView.parse((await ann('GET', '/presets/made')).body);
      return users?.collections[0]?.media === 1 && users.more === 0;
    });
    await operator('PATCH', '/collections/films?creatorId=ann', { body: { maxUsdPerMonth: null } });
    cloud.clock.advance(16 * 60_000);
    await sweepUntil(cloud, 'it is submitted', async () => (await readJobs(cloud, id))[0]?.engineJobId !== undefined);
    const media = await reached(cloud, id, 'ready', { timeoutMs: 90_000 });
    expect(media.current).toMatchObject({ preset: { name: 'made', version: 1 } });
    expect(media.current?.renditions.map(({ name, frameRate }) => [name, frameRate])).toEqual([
      ['240p', 25],
      ['144p', 25],
    ]);
    expect(media.current?.ssim).toBeGreaterThan(0.8);
    expect(Object.keys(media.current?.outputs ?? {}).sort()).toEqual(['dash', 'master', 'poster']);
    const master = `${cloud.deliveryUrl}/${media.current?.outputs.master}`;
    expect(await segmentsOf(master, '240p')).toEqual([4, 4, 1]);
    expect(Number((await probe(master)).format.duration)).toBeCloseTo(9, 0);
    // Segments of 4 s are allowed, and not what Apple recommends.
    expect((await brokenRules(master)).filter((line) => !/^(target|segments)-of-6 /.test(line))).toEqual([]);

    await ann('POST', `/media/${id}/retranscode`);
    await sweepUntilJob(cloud, id, 2);
    await eventually('the second version', async () => (await readMedia(cloud, id))?.current?.version === 2, 90_000);
    const again = await readMedia(cloud, id);
    expect(again?.current).toMatchObject({ preset: { name: 'made', version: 2 } });
    expect(again?.current?.renditions.map(({ name, frameRate }) => [name, frameRate])).toEqual([['144p', 50]]);
    expect(await segmentsOf(`${cloud.deliveryUrl}/${again?.current?.outputs.master}`, '144p')).toEqual([2, 2, 2, 2, 1]);
    expect((await readJobs(cloud, id)).map(({ content }) => content?.segmentSeconds)).toEqual([4, 2]);
  }, 240_000);
});

describe('a changed preset', () => {
  it('is rolled out by the command: what it would take, a sample with its report, the rest, and back', async () => {
    const { cloud } = booted;
    await using made = await homeFor(cloud);
    const me = await apiAs(cloud, 'me', OPERATOR);
    const run = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await dropreel(made.home, [
        'presets',
        'roll-out',
        'staged',
        ...args,
        '--json',
      ]);
      expect(exitCode, `${args.join(' ')}\n${stderr}\n${stdout}`).toBe(0);
      return JSON.parse(stdout);
    };
    const stands = async (state: string) => {
      await sweepUntil(cloud, `it is ${state}`, async () => {
        cloud.clock.advance(5 * 60_000);
        return RollOutView.parse(await run()).state === state;
      });
      return RollOutView.parse(await run());
    };
    const preset = { ...SMALL, rungs: SMALL.rungs.slice(1), crf: 35 };
    expect((await me('PUT', '/presets/staged', { body: preset })).status).toBe(200);
    await me('POST', '/collections', { body: { id: 'staged', preset: 'staged' } });
    const file = await testVideo(join(folder, 'staged.mp4'), { seconds: 1, size: '256x144' });
    const ids = [
      await drop(cloud, 'drop/me/staged/one.mp4', { file }),
      await drop(cloud, 'drop/me/staged/two.mp4', { file }),
    ];
    for (const id of ids) await reached(cloud, id, 'ready', { timeoutMs: 90_000 });
    await me('PUT', '/presets/staged?confirm=true', { body: { ...preset, crf: 20 } });
    expect((await dropreel(made.home, ['presets', 'roll-out', 'staged'])).exitCode).toBe(4);

    await eventually('both are counted', async () => (await run('--sample', '1%')).media === 2);
    const { present, most, sample } = await run('--sample', '1%');
    expect([present > 0, most > present / 10, sample.media]).toEqual([true, true, 1]);
    expect(await run('--sample', '1%', '--confirm')).toMatchObject({ state: 'sampling', version: 2 });
    const { taken, report } = await stands('waiting');
    expect([taken, report.map(({ before, after }) => [before.preset.version, after.preset.version])]).toEqual([
      1,
      [[1, 2]],
    ]);
    const [compared] = report;
    expect(compared?.after.bytes).toBeGreaterThan(compared?.before.bytes ?? Number.POSITIVE_INFINITY);
    expect(compared?.after.ssim).toBeGreaterThan(compared?.before.ssim ?? 1);
    for (const version of [compared?.before, compared?.after]) {
      expect((await fetch(version?.posterUrl ?? '')).headers.get('content-type')).toBe('image/jpeg');
    }
    const versions = async () =>
      (await Promise.all(ids.map((id) => readMedia(cloud, id)))).map((media) => media?.current?.preset.version);
    expect((await versions()).sort()).toEqual([1, 2]);

    await run('--go-on');
    expect(await stands('done')).toMatchObject({ taken: 2, done: 2, failed: 0 });
    expect(await versions()).toEqual([2, 2]);
    await run('--put-back');
    await stands('put-back');
    await eventually('viewers have the versions before', async () =>
      (await versions()).every((version) => version === 1),
    );
  }, 240_000);
});

/** Seconds of each segment, rounded. */
async function segmentsOf(master: string, rung: string): Promise<number[]> {
  const versionUrl = [...(await (await fetch(master)).text()).matchAll(/^\S+\.m3u8$/gm)]
    .map(([uri]) => uri)
    .find((uri) => uri.includes(rung));
  const text = await (await fetch(new URL(versionUrl ?? '', master))).text();
  return [...text.matchAll(/^#EXTINF:([\d.]+),$/gm)].map(([, seconds]) => Math.round(Number(seconds)));
}

describe('the command', () => {
  it('lists, shows, copies, changes, compares and deletes presets', async () => {
    await using made = await homeFor(booted.cloud);
    const { home } = made;
    const start = (...args: string[]) => dropreel(home, ['presets', ...args]);
    const run = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await start(...args);
      expect(exitCode, `${args.join(' ')}\n${stderr}\n${stdout}`).toBe(0);
      return stdout;
    };
    expect(await run('ls')).toMatch(/^compact +3 +yes +720p 480p 360p +23 +60 +6 s$/m);
    const copied = PresetView.parse(JSON.parse(await run('show', 'compact', '--json')));
    const file = join(home, 'team.json');
    await writeFile(file, JSON.stringify({ ...copied, name: 'team', version: undefined, segmentSeconds: 4 }));
    expect(await run('set', file)).toMatch(/^team is new\.$/m);
    expect(await run('diff', 'compact', 'team')).toMatch(/^segmentSeconds +6 +4$/m);
    await dropreel(home, ['collections', 'create', 'shows', '--preset', 'team']);
    const shown = await run('show', 'team');
    expect(shown).toMatch(/^used by +shows \(0 media\)$/m);

    await writeFile(file, JSON.stringify({ ...copied, name: 'team', version: 1, crf: 0 }));
    const wrong = await start('set', file);
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      5,
      expect.stringContaining('crf: 0 was given; allowed is 10 to 40'),
    ]);
    await writeFile(file, JSON.stringify({ ...copied, name: 'team', version: 1, crf: 21 }));
    const used = await start('set', file);
    expect([used.exitCode, used.stderr]).toEqual([5, expect.stringContaining('collections.shows: 0 media')]);
    expect(await run('set', file, '--confirm')).toMatch(/^ {2}crf: 23 → 21$/m);
    // The file says which version it was made from.
    await writeFile(file, JSON.stringify({ ...copied, name: 'team', version: 1, crf: 22 }));
    expect((await start('set', file, '--confirm')).stderr).toContain(
      'If-Match "1" was given; the present version is "2"',
    );
    expect(await run('diff', 'team@1', 'team@2')).toMatch(/^crf +23 +21$/m);
    const expected = await dropreel(home, ['estimate', '--collection', 'shows', '--preset', 'team', '--json']);
    expect(Estimate.parse(JSON.parse(expected.stdout))).toMatchObject({ media: 0 });

    expect((await start('rm', 'team')).exitCode).toBe(5);
    await dropreel(home, ['collections', 'rm', 'shows']);
    expect(await run('rm', 'team')).toBe('team  deleted');
    expect((await start('show', 'team')).exitCode).toBe(4);
  });
});
