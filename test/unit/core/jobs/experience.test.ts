import { describe, expect, it } from 'vitest';
import { classOf, corrected, learn } from '../../../../core/jobs/experience.ts';
import { job, NOW } from '../../../support/factories.ts';

it.each([
  [{ videoCodec: 'h264', width: 1920, height: 1080 }, 'usual hd'],
  [{ videoCodec: 'hevc', width: 2160, height: 3840 }, 'hevc uhd'],
  [{ videoCodec: 'an attack', width: 640, height: 360 }, 'usual sd'],
  [{ audioCodec: 'mp3' }, 'sound'],
])('the class of %j is %s', (source, name) => {
  expect(classOf(source)).toBe(name);
});

describe('experience', () => {
  const done = (seconds: number, usd: number) =>
    job({
      ...{ state: 'published', startedAt: NOW, cost: { usd, vcpuSeconds: 1 } },
      steps: [{ name: 'pushed', at: new Date(Date.parse(NOW) + 1000 * seconds).toISOString() }],
      estimate: { seconds: 1, usd: 1, of: 'usual hd', assumed: { seconds: 100, usd: 0.2 } },
    });
  const learnt = learn(learn(null, [done(200, 0.1)]), [done(50, 0.1), { ...done(1, 1), state: 'failed' }]);

  it('sums up what jobs took and what was assumed, and the older ones fade', () => {
    expect(learnt).toEqual({
      type: 'experience',
      rev: 2,
      engines: { 'batch-cpu': { jobs: 2, seconds: 240, assumedSeconds: 195, usd: 0.195, assumedUsd: 0.39 } },
    });
  });

  it('takes from one job no more than ten times what was assumed, nor less than a tenth', () => {
    const { engines } = learn(learn(null, [done(1e7, 2e6)]), [done(0, -5)]);
    expect(engines['batch-cpu']).toMatchObject({ seconds: 960, assumedSeconds: 195, usd: 1.92, assumedUsd: 0.39 });
  });

  it('corrects an estimate by what jobs took of what was assumed of them', () => {
    expect(corrected({ seconds: 195, usd: 1 }, learnt.engines['batch-cpu'])).toEqual({ seconds: 240, usd: 0.5 });
  });

  it('corrects nothing where there is none, and by no more than ten times', () => {
    expect(corrected({ seconds: 10, usd: 1 }, undefined)).toEqual({ seconds: 10, usd: 1 });
    const stood = { jobs: 1, seconds: 1e6, assumedSeconds: 1, usd: 0, assumedUsd: 1 };
    expect(corrected({ seconds: 10, usd: 1 }, stood)).toEqual({ seconds: 100, usd: 0.1 });
  });
});
