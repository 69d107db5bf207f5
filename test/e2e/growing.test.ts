import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { readPlaylist } from '../../core/media/hls-rules/playlist.ts';
import { apiAs } from '../support/api.ts';
import { brokenRules } from '../support/by-the-book.ts';
import { numbersIn } from '../support/chunks.ts';
import { eventually } from '../support/cloud.ts';
import { filmCloud, makeFilm, RATE, SECONDS } from '../support/films.ts';
import { temporaryDirectory } from '../support/media.ts';
import { decode, drop, reached, readMedia, sweepNow } from '../support/pipeline.ts';

/** `DROPREEL_KILL_POINTS=all` kills at every call; the suite takes every fortieth, so that it stays short. */
const STRIDE = process.env.DROPREEL_KILL_POINTS === 'all' ? 1 : 40;

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let film: string;
beforeAll(async () => {
  folder = await temporaryDirectory();
  film = await makeFilm(folder.path);
});
afterAll(() => folder[Symbol.asyncDispose]());

function lengthOf(playlist: string): number {
  return readPlaylist(playlist, '').segments.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** A player that reads the master playlist once, and each of its playlists again and again until their ends. */
function watchToItsEnd(masterUrl: string) {
  const lists = new Map<string, { text: string; segments: Buffer[]; init?: Buffer }>();
  const stop = new AbortController();
  const faults: string[] = [];
  const isOver = () => lists.size > 0 && [...lists.values()].every(({ text }) => text.endsWith('#EXT-X-ENDLIST\n'));
  const bytesOf = async (url: string, range?: { offset: number; length: number }) => {
    const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const response = await fetch(url, headers && { headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isWhole = range ? response.status === 206 && bytes.length === range.length : response.status === 200;
    if (!isWhole) throw new Error(`${url} answered ${response.status} with ${bytes.length} bytes`);
    return bytes;
  };
  const look = async (url: string) => {
    const seen = lists.get(url) ?? { text: '', segments: [] };
    const text = (await bytesOf(url)).toString();
    if (!text.startsWith(seen.text)) faults.push(`${url} has lost something`);
    const { segments } = readPlaylist(text, url);
    for (const { uri, range, map } of segments.slice(seen.segments.length)) {
      if (map && !seen.init) seen.init = await bytesOf(new URL(map.uri, url).href, map.range);
      seen.segments.push(await bytesOf(new URL(uri, url).href, range));
    }
    lists.set(url, { ...seen, text });
  };
  const loop = async () => {
    let master = '';
    while (!master && !stop.signal.aborted) {
      const response = await fetch(masterUrl);
      if (response.ok) master = await response.text();
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { variants, renditions } = readPlaylist(master, 'master');
    const uris = [...variants.map(({ uri }) => uri), ...renditions.map(({ attributes }) => attributes.get('URI'))];
    const urls = [...new Set(uris)].flatMap((uri) => (uri ? [new URL(uri, masterUrl).href] : []));
    while (!isOver() && !stop.signal.aborted) {
      for (const url of urls) await look(url).catch((error: unknown) => faults.push(String(error)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const looping = loop();
  return {
    faults,
    /** Up to where all playlists are. */
    seconds: () => Math.min(...[...lists.values()].map(({ text }) => lengthOf(text))),
    /** Each playlist's bytes, as a player has them, by name. Ends it. */
    async whole(timeoutMs: number) {
      const timer = setTimeout(() => stop.abort(), timeoutMs);
      await looping;
      clearTimeout(timer);
      if (!isOver()) faults.push('it has no end');
      return [...lists].map(([url, { init = Buffer.alloc(0), segments }]) => {
        return {
          name: new URL(url).pathname.split('/').slice(-2).join('/'),
          bytes: Buffer.concat([init, ...segments]),
        };
      });
    },
  };
}

test('a player that never stops watches a film to its end while it is encoded, whenever its publisher is killed', async () => {
  let killAt = Number.POSITIVE_INFINITY;
  let calls = 0;
  let killed = false;
  let kill = () => {};
  let release = () => {};
  let held = Promise.resolve();
  await using world = await filmCloud({
    slots: 4,
    // Two chunks, the first with a piece.
    chunkSeconds: 20,
    adverse: false,
    hooks: {
      before: ({ service, operation, principal, request }) => {
        if (operation === 'PutObject' && request?.path.endsWith('/result.json')) return held;
        if (service !== 's3' || principal.type !== 'role' || !/publishoutput/i.test(principal.arn)) return;
        calls += 1;
        if (calls !== killAt) return;
        killed = true;
        kill();
      },
    },
  });
  const { cloud } = world;
  const ann = await apiAs(cloud, 'ann');
  kill = () => cloud.lambda.kill('publishoutput');
  let perFilm = 1;
  for (let point = 0; point <= perFilm; point += STRIDE) {
    calls = 0;
    killed = false;
    killAt = point === 0 ? Number.POSITIVE_INFINITY : point;
    held = new Promise((resolve) => {
      release = resolve;
    });
    const id = await drop(cloud, `drop/ann/default/film-${point}.mp4`, { file: film });
    const master = `${cloud.deliveryUrl}/${mediaKeys('ann', id).master}`;
    const player = watchToItsEnd(master);
    if (point === 0) {
      const growing = await eventually('it can be played', async () => (await readMedia(cloud, id))?.growing, 120_000);
      expect(growing).toEqual({ jobId: `${id}-1`, access: 'public' });
      const { body } = await ann('GET', `/media/${id}`);
      expect(body).toMatchObject({ state: 'transcoding', playable: true, playback: { hls: master } });
      expect(await brokenRules(master)).toEqual([]);
      const isPastTheJoint = () => player.seconds() > 24;
      await eventually('the second chunk is shown', async () => isPastTheJoint(), 60_000);
      expect(await brokenRules(master)).toEqual([]);
    } else {
      // What was to be shown may be lost with the publisher.
      const isOn = async () => killed || (await readMedia(cloud, id))?.growing !== undefined;
      await eventually('it can be played, or its publisher is killed', isOn, 120_000);
    }
    release();
    const deadline = Date.now() + 20_000;
    for (let isSwept = false; (await readMedia(cloud, id))?.state !== 'ready' && !isSwept; ) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (Date.now() < deadline || !killed) continue;
      isSwept = true;
      cloud.clock.advance(20 * 60_000);
      await sweepNow(cloud);
    }
    await reached(cloud, id, 'ready', { timeoutMs: 240_000 });
    if (point === 0) perFilm = calls;
    const lists = await player.whole(60_000);
    expect(player.faults, `killed at call ${point} of ${perFilm}`).toEqual([]);
    for (const { name, bytes } of lists) {
      const file = join(folder.path, `${point}-${name.replaceAll('/', '-')}.mp4`);
      await writeFile(file, bytes);
      await decode(file);
      if (name.includes('audio')) continue;
      const numbers = (await numbersIn(file)).map(({ number }) => number);
      expect(numbers, `${name}, killed at call ${point}`).toEqual(Array.from({ length: SECONDS * RATE }, (_, i) => i));
    }
  }
}, 1_800_000);
