import { expect, test } from 'vitest';
import {
  type EncodedChunk,
  gpuUse,
  jointFaults,
  lastDurations,
  meanSsim,
  type Whole,
} from '../../../../core/media/chunk-record.ts';

const rendition = (file: string, init = 'a') => ({
  ...{ file, init, bytes: 1000, initBytes: 800, first: 0, last: 590, lastDurationAt: 900 },
});
const picture = (at: number, md5 = `of ${at}`) => ({ at, md5 });
const chunk = (index: number, more: Partial<EncodedChunk> = {}): EncodedChunk => ({
  ...{ status: 'encoded', index, pictures: 150, frames: 150 },
  renditions: [rendition('720p'), rendition('360p')],
  witness: { start: [picture(100 * index)], end: [picture(100 * (index + 1))] },
  ...more,
});
const film: (EncodedChunk | Whole)[] = [chunk(0), chunk(1), chunk(2)];
const held = [150, 150, 150];
const but = (index: number, more: Partial<EncodedChunk>) => film.map((one, i) => (i === index ? chunk(i, more) : one));

test('a GPU has done of a film what it has done of each chunk that has pictures, for the first reason that there is', () => {
  const all = { decode: true, scale: true, encode: true };
  const some = { decode: false, encode: true, why: 'No decoder.' };
  expect(gpuUse([{ frames: 9, gpu: all }, { frames: 0 }])).toEqual(all);
  expect(
    gpuUse([
      { frames: 9, gpu: all },
      { frames: 9, gpu: some },
    ]),
  ).toEqual(some);
  expect(gpuUse([{ frames: 9 }])).toBeUndefined();
});

test('chunks that hold all pictures and agree about those at their joints are the film', () => {
  expect(jointFaults(film, held)).toEqual([]);
});

test.each<[string, (EncodedChunk | Whole)[], string]>([
  ['a picture is lost', but(1, { pictures: 149 }), 'chunk 1 has 149 pictures of 150'],
  ['a picture is doubled', but(2, { pictures: 151 }), 'chunk 2 has 151 pictures of 150'],
  ['a chunk is missing', [chunk(0), chunk(2), chunk(2)], 'chunk 1 is missing'],
  [
    'a decoder made another picture',
    but(1, { witness: { start: [picture(100, 'damaged')], end: [picture(200)] } }),
    'chunk 0 and chunk 1 have',
  ],
  ['a picture has another time', but(1, { witness: { start: [picture(101)], end: [picture(200)] } }), 'chunk 0 and'],
  ['one saw a picture more', but(1, { witness: { start: [], end: [picture(200)] } }), 'chunk 0 and chunk 1 have'],
  [
    'an init segment differs',
    but(1, { renditions: [rendition('720p'), rendition('360p', 'b')] }),
    'chunk 1 has other init segments',
  ],
  ['a rung is missing', but(2, { renditions: [rendition('720p')] }), 'chunk 2 has other init segments'],
  ['a chunk was refused', [chunk(0), { status: 'whole', why: 'It is damaged.' }, chunk(2)], 'chunk 1: It is damaged.'],
  ['the last chunk is missing', film.slice(0, 2), 'there are 2 chunks of 3'],
])('%s: the film is encoded whole', (_, records, fault) => {
  expect(jointFaults(records, held)[0]).toMatch(new RegExp(`^${fault}`));
});

test('a chunk without a picture has nothing to compare, where the file holds none', () => {
  const empty = chunk(1, { pictures: 0, frames: 0, renditions: [], witness: undefined });
  expect(jointFaults([chunk(0), empty, chunk(2)], [150, 0, 150])).toEqual([]);
  expect(jointFaults([chunk(0), empty, chunk(2)], [150, 1, 150])).toEqual(['chunk 1 has 0 pictures of 1']);
});

test('the last sample of a chunk lasts until the first of the next, and the last of all as long as its picture', () => {
  const pieces = [
    { first: 0, last: 590 },
    { first: 612, last: 1190 },
    { first: 2000, last: 2100 },
  ];
  expect(lastDurations(pieces, 40)).toEqual([22, 810, 40]);
});

test('the SSIM of a film is the mean over its pictures, where all is known', () => {
  const chunks = [{ frames: 300, ssim: 0.9 }, { frames: 0 }, { frames: 100, ssim: 0.98 }];
  expect(meanSsim(chunks)).toBeCloseTo(0.92, 10);
  expect(meanSsim([...chunks, { frames: 1 }])).toBeUndefined();
  expect(meanSsim([{ frames: 0 }])).toBeUndefined();
});
