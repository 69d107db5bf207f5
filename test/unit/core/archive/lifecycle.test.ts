import { describe, expect, test } from 'vitest';
import { type LifecycleRule, lifecycleFault, movesByTag } from '../../../../core/archive/lifecycle.ts';

const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({
  ...{ id: 'rule', isEnabled: true, prefix: '', tags: {}, expires: false, movesTo: [] },
  ...more,
});
const places = (more: Partial<LifecycleRule>) => lifecycleFault([rule(more)], 1)?.match(/drop\/|archive\//g) ?? [];

describe('rules of a bucket', () => {
  test.each<[string, Partial<LifecycleRule>, string[]]>([
    ['an expiry of all keys reaches both', { expires: true }, ['drop/', 'archive/']],
    ['one below a prefix reaches what is there', { expires: true, prefix: 'archive/anna/' }, ['archive/']],
    ['one whose prefix is a part of ours reaches it', { expires: true, prefix: 'dr' }, ['drop/']],
    ['one for tags reaches uploads only', { expires: true, tags: { kind: 'old' } }, ['drop/']],
    [
      'one for our tag reaches copies as well',
      { expires: true, tags: { 'dropreel-archive-class': 'GLACIER' } },
      ['drop/', 'archive/'],
    ],
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

describe('a rule moves what has our tag', () => {
  const ours = { tags: { 'dropreel-archive-class': 'GLACIER_IR' }, movesTo: ['GLACIER_IR'] };
  test.each<[string, Partial<LifecycleRule>, boolean]>([
    ['with that value', ours, true],
    ['without any condition', { movesTo: ['GLACIER_IR'] }, true],
    ['unless it is off', { ...ours, isEnabled: false }, false],
    ['unless it is for another prefix', { ...ours, prefix: 'archive/' }, false],
    ['unless it moves to another class', { ...ours, movesTo: ['GLACIER'] }, false],
    ['unless it asks for another tag, too', { ...ours, tags: { ...ours.tags, kind: 'old' } }, false],
  ])('%s', (_, more, expected) => {
    expect(movesByTag([rule(more)], 'drop/ann/talks/a.mp4', 'GLACIER_IR')).toBe(expected);
  });
});
