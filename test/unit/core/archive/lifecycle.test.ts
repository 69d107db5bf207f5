import { describe, expect, test } from 'vitest';
import { type LifecycleRule, lifecycleFault } from '../../../../core/archive/lifecycle.ts';

const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({
  ...{ id: 'rule', isEnabled: true, prefix: '', hasTags: false, expires: false },
  ...more,
});
const places = (more: Partial<LifecycleRule>) => lifecycleFault([rule(more)], 1)?.match(/drop\/|archive\//g) ?? [];

describe('rules of a bucket', () => {
  test.each<[string, Partial<LifecycleRule>, string[]]>([
    ['an expiry of all keys reaches both', { expires: true }, ['drop/', 'archive/']],
    ['one below a prefix reaches what is there', { expires: true, prefix: 'archive/anna/' }, ['archive/']],
    ['one whose prefix is a part of ours reaches it', { expires: true, prefix: 'dr' }, ['drop/']],
    ['one for tags reaches uploads only', { expires: true, hasTags: true }, ['drop/']],
    ['one of another prefix reaches none', { expires: true, prefix: 'tmp/' }, []],
    ['one that is off does nothing', { expires: true, isEnabled: false }, []],
    ['transitions and unfinished uploads remove nothing', {}, []],
    ['noncurrent versions for fewer days than originals are kept', { noncurrentDays: 0 }, ['drop/', 'archive/']],
    ['noncurrent versions for as many days', { noncurrentDays: 1 }, []],
  ])('%s', (_, more, expected) => {
    expect(places(more)).toEqual(expected);
  });

  test('the rule is named, the first of several', () => {
    const rules = [rule({ id: 'off', expires: true, isEnabled: false }), rule({ id: 'old', noncurrentDays: 3 })];
    expect(lifecycleFault(rules, 30)).toBe(
      "The bucket's lifecycle rule old can remove objects under drop/ and archive/: earlier versions after 3 days, and originals are kept for 30.",
    );
    expect(lifecycleFault(rules, 3)).toBeNull();
    expect(lifecycleFault([], 3650)).toBeNull();
  });
});
