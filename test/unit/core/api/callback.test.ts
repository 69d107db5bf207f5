import { expect, it } from 'vitest';
import { isStale } from '../../../../core/api/callback.ts';
import { job, media } from '../../../support/factories.ts';

const call = { jobId: 'batch-1', status: 'completed' as const };

it.each([
  ['of the engine job that the row names', call, job(), media(), false],
  ['of another engine job, which may have the claim', { ...call, jobId: 'batch-0' }, job(), media(), false],
  ['of a job that has ended', call, job({ state: 'failed' }), media(), true],
  ['of a job that another one has replaced', call, job(), media({ jobId: `${media().mediaId}-2` }), true],
  ['of a job that is gone', call, null, media(), true],
  [
    'with the output of another media item',
    { ...call, output: { mediaId: 'z'.repeat(26), type: 'video' as const } },
    job(),
    media(),
    true,
  ],
])('a call %s', (_, body, row, item, stale) => {
  expect(isStale(body, row, item)).toBe(stale);
});
