import { expect, test } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { planEncode } from '../../../../core/media/plan.ts';
import { Prepared } from '../../../../core/media/prepared.ts';
import { asEncoded } from '../../../../engines/mediaconvert/encoded.ts';
import { finishPart, readFinish, readTaskName, taskName } from '../../../../engines/mediaconvert/parts.ts';
import { PHONE, PLACE, PODCAST, planned, type Source } from './sources.ts';

const { jobId } = PLACE;

test('the last part names the submission and the warnings, each once', () => {
  const part = finishPart({ number: 2, warnings: [230006, 240001, 230006] });
  expect(part).toBe('finish-2-230006-240001');
  expect(readFinish(part)).toEqual({ number: 2, warnings: [230006, 240001] });
  expect(readFinish(finishPart({ number: 1, warnings: [] }))).toEqual({ number: 1, warnings: [] });
});

test('the last part can be read whatever MediaConvert warns of', () => {
  const warnings = [1, 240_001, 1e21, -5, ...Array.from({ length: 40 }, (_, i) => 250_000 + i)];
  expect(readFinish(finishPart({ number: 2, warnings }))).toEqual({ number: 2, warnings: [240_001] });
});

test.each([
  undefined,
  'encode',
  'finish-',
  'finish-1-2',
  'finish-1-230006-',
  'finish-NaN',
])('%s is not the last part', (part) => {
  expect(readFinish(part)).toBeNull();
});

test('the name of a worker says of which job and part it is', () => {
  expect(readTaskName(taskName(jobId, undefined))).toEqual({ jobId, part: undefined });
  expect(readTaskName(taskName(jobId, 'finish-2-230006'))).toEqual({ jobId, part: 'finish-2-230006' });
  expect([jobId, `${jobId}-encode`, 'x-prepare', `${jobId}-prepare-1`, `${jobId}-finish-x`].map(readTaskName)).toEqual([
    ...[null, null, null, null, null],
  ]);
});

const STANDARD = PRESETS.standard ?? expect.fail('no preset');
const SOURCES: [string, Source][] = [
  ['a film', {}],
  ['a phone', PHONE],
  ['a podcast', PODCAST],
  ['interlaced', { video: { combed: [{ from: 0, to: 99, first: 'tff' }], turn: 90, alpha: true } }],
];

test.each(SOURCES)('the plan is the same from what was written down: %s', (_, source) => {
  const { probe, audioTracks } = planned(source).source;
  const ends = { video: 60, audio: 60, lastFrame: 0.03, indexed: true };
  const prepared = { jobId, probe, ends, audioTracks, report: {}, warnings: [], cpuSeconds: 1 };
  const read = Prepared.parse(JSON.parse(JSON.stringify(prepared)));
  expect(planEncode(read.probe, STANDARD, read.ends)).toEqual(planEncode(probe, STANDARD, ends));
});

test('what MediaConvert makes of a plan has a constant rate, which differs from the source or not', () => {
  const of = (source: Source) => {
    const { plan, source: probed } = planned(source);
    const { plan: made, warnings } = asEncoded(plan, probed.probe);
    const { frameRate, retime, lastFrameSeconds } = made.video ?? expect.fail('no pictures');
    return { frameRate, retime, lastFrameSeconds, warnings: warnings.map(({ code }) => code) };
  };
  const film = { num: 30_000, den: 1001 };
  expect(of({})).toEqual({ frameRate: film, retime: undefined, lastFrameSeconds: 1001 / 30_000, warnings: [] });
  const rate = { num: 30, den: 1 };
  const warnings = ['rate_made_constant'];
  expect(of(PHONE)).toEqual({ frameRate: rate, retime: rate, lastFrameSeconds: 1 / 30, warnings });
});
