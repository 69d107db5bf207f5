import { expectTypeOf, it } from 'vitest';
import type { MediaRow } from '../../../../core/contracts/table/media.ts';
import type { Expectation, Update, Write } from '../../../../core/jobs/change.ts';

const key = { pk: 'MEDIA#x', sk: 'MEDIA' };

it('a misspelled attribute in a change does not compile', () => {
  expectTypeOf<'scheduleRetranscode'>().toExtend<keyof Update['set']>();
  expectTypeOf<'source.versionId'>().toExtend<keyof Expectation<MediaRow>>();
  expectTypeOf<'engineJobId'>().not.toExtend<keyof Expectation<MediaRow>>();
  // @ts-expect-error: an attribute that no row has
  const set: Write = { op: 'update', key, expect: {}, set: { sheduleRetranscode: false } };
  // @ts-expect-error: an attribute that no row has
  const remove: Write = { op: 'update', key, expect: {}, set: {}, remove: ['todoat'] };
  // @ts-expect-error: an attribute inside a map that has none of that name
  const expect: Write = { op: 'check', key, expect: { 'source.version': 'v1' } };
  expectTypeOf([set, remove, expect]).toEqualTypeOf<Write[]>();
});
