import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { jobFor } from '../../../../core/jobs/transitions.ts';
import { isLong, queueOf, shareIdentifierFor, shareOf } from '../../../../engines/batch/queues.ts';
import { job } from '../../../support/factories.ts';

const preset = PRESETS.standard ?? expect.fail('no preset');
const env = {
  JOB_QUEUE: 'uploads',
  RETRANSCODE_JOB_QUEUE: 'retranscodes',
  ON_DEMAND_JOB_QUEUE: 'on-demand',
  JOB_DEFINITION: 'transcoder:1',
  JOB_VCPUS: 4,
  COMPUTE_ENVIRONMENTS: [],
};

describe('the queue of a job', () => {
  it.each([
    ['ingest', false, 'uploads'],
    ['retranscode', false, 'retranscodes'],
    ['ingest', true, 'on-demand'],
    ['retranscode', true, 'on-demand'],
  ] as const)('for %s, not to be reclaimed: %s, is %s', (purpose, onDemand, queue) => {
    expect(queueOf({ purpose, onDemand }, env)).toBe(queue);
  });
});

describe('the turn of a job', () => {
  it('is that of its creator, with uploads before re-transcodes', () => {
    const submission = { job: jobFor(job(), preset, 'media') };
    const identifier = shareIdentifierFor('ann');
    expect(shareOf({ ...submission, purpose: 'ingest' })).toEqual({ identifier, priority: 1 });
    expect(shareOf({ ...submission, purpose: 'retranscode' })).toEqual({ identifier, priority: 0 });
  });

  it('has as many shares as a queue may have, however many creators there are', () => {
    expect(shareIdentifierFor('ann.lee-1')).toMatch(/^share[0-9]{1,3}$/);
    const many = Array.from({ length: 20_000 }, (_, i) => shareIdentifierFor(`creator-${i}`));
    expect(new Set(many).size).toBe(500);
  });
});

describe('an encode', () => {
  // 73.1 CPU seconds for 30 s of 1080p30: at 4 vCPUs an hour of it is 2193 s.
  const hours = (durationSeconds: number) => ({ durationSeconds, width: 1920, height: 1080, frameRate: 30 });
  it.each([
    ['3599 s', hours(5909), false],
    ['3601 s', hours(5912), true],
    ['an unknown time', {}, false],
  ] as const)('that takes %s must not be reclaimed: %j %s', (_, source, long) => {
    expect(isLong(source, preset, 4)).toBe(long);
  });
});
