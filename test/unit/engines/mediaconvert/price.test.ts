import { expect, test } from 'vitest';
import type { AudioGroup, Rendition, Succeeded } from '../../../../core/contracts/job.ts';
import { pricesIn } from '../../../../core/contracts/prices.ts';
import type { Size } from '../../../../core/media/size.ts';
import { priceOf, encodeUsd as usdIn } from '../../../../engines/mediaconvert/price.ts';

const { prices } = pricesIn('us-east-1');
const encodeUsd = (made: Parameters<typeof usdIn>[0], mp4?: Size) => usdIn(made, prices, mp4);

const made = { codecs: 'x', bandwidth: 1, averageBandwidth: 1, bytes: 1 };
const rung = (width: number, height: number, durationSeconds: number, frameRate = 29.97): Rendition => ({
  ...{ name: `${height}p`, playlist: `${height}p.m3u8`, width, height, frameRate, durationSeconds },
  ...made,
});
const sound = (id: string, durationSeconds: number): AudioGroup => ({
  ...{ id, playlist: `${id}.m3u8`, channels: 2, durationSeconds },
  ...made,
});
const ladder = (seconds: number, rate?: number) => ({
  renditions: [rung(1920, 1080, seconds, rate), rung(1280, 720, seconds, rate), rung(854, 480, seconds, rate)],
  audio: [sound('audio-128k', seconds), sound('audio-64k', seconds)],
});

test('a minute of 1080p, 720p, 480p and two sounds is two of HD, one of SD and two of sound', () => {
  expect(encodeUsd(ladder(60))).toBeCloseTo(2 * 0.015 + 0.0075 + 2 * 0.005, 6);
});

test('above 30 pictures a second pictures cost twice as much, and sound does not', () => {
  expect(encodeUsd(ladder(60, 59.94))).toBeCloseTo(2 * (2 * 0.015 + 0.0075) + 2 * 0.005, 6);
});

test('each output is billed for ten seconds at least', () => {
  expect(encodeUsd(ladder(3))).toBeCloseTo((2 * 0.015 + 0.0075 + 2 * 0.005) / 6, 6);
});

test('an upright 4K rung is UHD, and so is the MP4 of 1440p that is encoded by itself', () => {
  const upright = { renditions: [rung(2160, 3840, 60)], audio: [] };
  expect(encodeUsd(upright)).toBeCloseTo(0.03, 6);
  expect(encodeUsd(upright, { width: 1350, height: 2400 })).toBeCloseTo(0.06, 6);
});

test('of sound alone the renditions are billed as sound', () => {
  const { playlist, name } = rung(0, 0, 0);
  const podcast = { name, playlist, durationSeconds: 3600, ...made };
  expect(encodeUsd({ renditions: [podcast, podcast], audio: [] })).toBeCloseTo(2 * 60 * 0.005, 6);
});

test('the four files of docs/decisions/0108-mediaconvert.md cost what it says', () => {
  const standard = (seconds: number) => ({
    ...ladder(seconds),
    renditions: [...ladder(seconds).renditions, rung(640, 360, seconds)],
  });
  const uhd = {
    ...standard(600),
    renditions: [rung(3840, 2160, 600), rung(2560, 1440, 600), ...standard(600).renditions],
  };
  const { playlist, name } = rung(0, 0, 0);
  const podcast = { name, playlist, durationSeconds: 3600, ...made };
  const costs = [
    encodeUsd(standard(30)),
    encodeUsd(standard(3600)),
    encodeUsd(uhd, { width: 2400, height: 1350 }),
    encodeUsd({ renditions: [podcast, podcast], audio: [] }),
  ];
  expect(costs.map((usd) => usd.toFixed(2))).toEqual(['0.03', '3.30', '1.45', '0.60']);
});

test('a job costs its outputs, the MP4 of a picture that no rung can share, and its workers', () => {
  const usage = { wallSeconds: 100, cpuSeconds: 100 };
  const result = { ...ladder(600), usage } as unknown as Succeeded;
  const workers = 0.001371;
  const { usd } = priceOf({ vcpuSeconds: 100, result }, prices);
  expect(usd).toBeCloseTo(encodeUsd(ladder(600)) + workers, 5);
  const large = { ...result, mp4: 'video.mp4', ownMp4: { width: 2400, height: 1350 } };
  const own = encodeUsd(ladder(600), { width: 2400, height: 1350 });
  expect(priceOf({ vcpuSeconds: 100, result: large }, prices).usd).toBeCloseTo(own + workers, 5);
  expect(priceOf({ vcpuSeconds: 100 }, prices).usd).toBe(workers);
});
