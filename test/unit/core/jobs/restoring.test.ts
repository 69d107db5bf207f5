import { describe, expect, test } from 'vitest';
import { needOf, restoringFrom, sourceRestored, waitForSource } from '../../../../core/jobs/restoring.ts';
import { job, media } from '../../../support/factories.ts';

const NOW = '2026-11-30T12:00:00.000Z';

describe('what an archived object needs', () => {
  test.each<[string, { isRestoring: boolean; readableUntil?: Date }, ReturnType<typeof needOf>]>([
    ['no copy', { isRestoring: false }, 'ask'],
    ['a restore under way', { isRestoring: true }, 'wait'],
    ['a copy for two days', { isRestoring: false, readableUntil: new Date('2026-12-02T12:00:00Z') }, 'nothing'],
    ['a copy for a day', { isRestoring: false, readableUntil: new Date('2026-12-01T12:00:00Z') }, 'nothing'],
    ['a copy for less', { isRestoring: false, readableUntil: new Date('2026-12-01T11:59:59Z') }, 'more'],
    ['a copy that has ended', { isRestoring: false, readableUntil: new Date(NOW) }, 'ask'],
  ])('%s', (_, archive, expected) => {
    expect(needOf(archive, new Date(NOW))).toBe(expected);
  });
});

test.each<[string, 'Expedited' | 'Standard' | 'Bulk', string]>([
  ['GLACIER', 'Expedited', '2026-11-30T12:05:00.000Z'],
  ['GLACIER', 'Standard', '2026-11-30T17:00:00.000Z'],
  ['ARCHIVE_ACCESS', 'Bulk', '2026-12-01T00:00:00.000Z'],
  ['DEEP_ARCHIVE', 'Standard', '2026-12-01T00:00:00.000Z'],
  ['DEEP_ARCHIVE_ACCESS', 'Bulk', '2026-12-02T12:00:00.000Z'],
])('a restore from %s by %s should be done by %s', (from, tier, expectedAt) => {
  expect(restoringFrom(from, tier, NOW)).toEqual({ requestedAt: NOW, tier, from, expectedAt });
});

describe('a job that waits for its source', () => {
  const { engineJobId: _, ...queued } = job({ state: 'queued', todo: 'restoring-job', todoAt: NOW });
  const restoring = restoringFrom('GLACIER', 'Standard', NOW);
  const asked = { now: NOW, isAsked: true };

  test('is shown by its media item once, and again when the restore is another one', () => {
    const of = media({ jobId: queued.jobId });
    const first = waitForSource(queued, of, restoring, asked);
    expect('change' in first && first.change).toMatchObject([
      { set: { todo: 'restoring-job', todoAt: '2026-11-30T12:30:00.000Z', error: { code: 'source_restoring' } } },
      { set: { restoring, error: { code: 'source_restoring' } } },
    ]);
    const shown = { ...of, restoring, error: { code: 'source_restoring' as const, message: '', at: NOW } };
    expect(waitForSource(queued, shown, restoring, asked)).toMatchObject({ change: [{}] });
    const later = restoringFrom('GLACIER', 'Standard', '2026-11-30T13:00:00.000Z');
    expect(waitForSource(queued, shown, later, asked)).toMatchObject({ change: [{}, { set: { restoring: later } }] });
    expect(waitForSource(queued, media({ jobId: 'another' }), restoring, asked)).toMatchObject({ change: [{}] });
  });

  test('does not wait when its engine has it, or may have it', () => {
    expect(waitForSource({ ...queued, engineJobId: 'e' }, null, restoring, asked)).toHaveProperty('refused');
    expect(waitForSource({ ...queued, submittingUntil: '2026-01-01T00:00:00.000Z' }, null, restoring, asked)).toEqual({
      refused: 'it was submitted',
    });
  });

  test('is due at once with the event, and a late or second event changes nothing', () => {
    const waits = { ...queued, todoAt: '2026-11-30T12:30:00.000Z' };
    expect(sourceRestored(waits, NOW)).toMatchObject({ change: [{ set: { todoAt: NOW } }] });
    expect(sourceRestored({ ...waits, todoAt: NOW }, NOW)).toHaveProperty('refused');
    expect(sourceRestored({ ...waits, todo: 'job' }, NOW)).toHaveProperty('refused');
    expect(sourceRestored({ ...waits, state: 'cancelled' }, NOW)).toHaveProperty('refused');
  });
});
