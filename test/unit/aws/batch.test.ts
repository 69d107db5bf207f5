import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, describe as describeJobs, shareIdentifierFor, submit } from '../../../aws/batch.ts';
import { jobFor } from '../../../core/jobs/transitions.ts';
import { PRESETS } from '../../../core/media/presets.ts';
import { job, source } from '../core/jobs/factories.ts';
import { arns, startWorld, type World } from '../local/batch/setup.ts';

const preset = PRESETS.standard ?? expect.fail('no preset');
const submission = (n: number, more = {}) => ({
  job: jobFor(job({ n }), preset, 'media'),
  queue: arns.queue,
  definition: arns.definition,
  again: false,
  ...more,
});

describe('the engine batch-cpu', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ container: { Environment: [{ Name: 'HOLD', Value: '/nowhere' }] } });
  });
  afterAll(() => world.close());

  it('finds a job that was submitted before, and makes no second one', async () => {
    const first = await submit(world.client, submission(1));
    expect(await submit(world.client, submission(1, { again: true }))).toBe(first);
    // The name of another job begins with the same letters.
    expect(await submit(world.client, submission(11, { again: true }))).not.toBe(first);
  });

  it('says what it knows, and nothing of a job that it does not know', async () => {
    const id = await submit(world.client, submission(2));
    const known = await describeJobs(world.client, [id, '00000000-0000-0000-0000-000000000000']);
    expect([...known.keys()]).toEqual([id]);
    expect(known.get(id)).toMatchObject({ engineJobId: id, attempts: 0, createdAt: expect.any(Number) });
  });

  it('ends a job, with our reason', async () => {
    const id = await submit(world.client, submission(3));
    await cancel(world.client, id, 'the media is deleted');
    await world.until(id, 'FAILED');
    expect((await describeJobs(world.client, [id])).get(id)).toMatchObject({
      status: 'FAILED',
      statusReason: 'dropreel: the media is deleted',
    });
  });

  it('takes its turn among the creators of a queue that shares fairly', async () => {
    const shared = submission(4, { queue: arns.fair, shareIdentifier: shareIdentifierFor('ann.lee-1') });
    expect(await submit(world.client, shared)).toMatch(/-/);
    expect(shareIdentifierFor('ann.lee-1')).toBe('annxleex1');
  });

  it('refuses a job that is larger than its overrides may be, before it asks', async () => {
    const long = jobFor(job({ source: source({ key: `drop/ann/talks/${'"'.repeat(4000)}` }) }), preset, 'media');
    await expect(submit(world.client, submission(5, { job: long }))).rejects.toMatchObject({ code: 'engine_refused' });
  });
});
