import { tone } from '../support/media.ts';
import { film, madeBytes, plain, READY_OR_REFUSED, write } from './files.ts';
import { type HostileFile, hostileFiles, type Workshop } from './harness.ts';

/** Numerical Recipes' generator: the same seed damages the same bytes. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function flipped(file: Buffer, seed: number, count: number, within: number): Buffer {
  const next = random(seed);
  const copy = Buffer.from(file);
  for (let i = 0; i < count; i++) copy[Math.floor(next() * Math.min(within, copy.length))] = Math.floor(next() * 256);
  return copy;
}

const SOURCES: Record<string, (shop: Workshop) => Promise<Buffer>> = {
  mp4: (shop) => film(shop, 'mp4', '-movflags', '+faststart'),
  mkv: (shop) => film(shop, 'mkv'),
  ts: (shop) => film(shop, 'ts'),
  avi: (shop) => film(shop, 'avi', '-c:v', 'mpeg4', '-c:a', 'pcm_s16le'),
  flv: (shop) => film(shop, 'flv', '-ar', '44100'),
  ogg: (shop) => madeBytes(shop, ...tone(0.4), '-c:a', 'libvorbis', 'ogg'),
  mp3: (shop) => madeBytes(shop, ...tone(0.4), '-c:a', 'libmp3lame', 'mp3'),
  wav: (shop) => madeBytes(shop, ...tone(0.4), 'wav'),
};

/** A damaged film may end as one that does not last as long as it says: that is the file's fault too. */
const DAMAGED = [...READY_OR_REFUSED, 'verify_failed', 'encrypted', 'playlist_refused'] as const;

const damaged = Object.entries(SOURCES).flatMap(([name, source]) =>
  [1, 2, 3].map(
    (seed): HostileFile => ({
      title: `${name} with bytes of its head changed, seed ${seed}`,
      becomes: DAMAGED,
      make: async (shop) => write(shop, flipped(await source(shop), seed, 12, 1500)),
      ...(name === 'mkv' && seed === 1 ? { short: true } : {}),
    }),
  ),
);
const noise = [0, 1, 2, 3, 4, 5].map((seed) => {
  const next = random(seed + 100);
  return plain(
    `noise, seed ${seed}`,
    READY_OR_REFUSED,
    Buffer.from(Array.from({ length: 20_000 }, () => Math.floor(next() * 256))),
  );
});

hostileFiles('damage', [
  ...damaged,
  ...noise,
  plain('no bytes', 'empty_file', '', true),
  plain('one byte', ['not_media', 'corrupt'], 'x'),
  plain('zeroes', ['not_media', 'corrupt'], Buffer.alloc(100_000)),
  plain('0xff', READY_OR_REFUSED, Buffer.alloc(100_000, 0xff)),
]);
