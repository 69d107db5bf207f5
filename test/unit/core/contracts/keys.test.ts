import { describe, expect, it } from 'vitest';
import { JobId, jobIdFor, mediaIdFor, parseJobId } from '../../../../core/contracts/ids.ts';
import { dropKey, mediaKeys, mediaPrefixes, parseDropKey, tmpPrefix } from '../../../../core/contracts/keys.ts';

describe('a drop key', () => {
  it.each([
    ['drop/ann/talks/one.mp4', { creatorId: 'ann', collectionId: 'talks', path: 'one.mp4' }],
    ['drop/ann/talks/day 1/ä+b%20"c".mov', { creatorId: 'ann', collectionId: 'talks', path: 'day 1/ä+b%20"c".mov' }],
    ['drop/ann/one.mp4', { creatorId: 'ann', collectionId: 'default', path: 'one.mp4' }],
    ['drop/ann/default/日本.mp4', { creatorId: 'ann', collectionId: 'default', path: '日本.mp4' }],
  ])('%s names its creator, collection and path', (key, location) => {
    expect(parseDropKey(key)).toEqual(location);
  });
  it.each([
    'drop/',
    'drop/ann',
    'drop/ann/',
    'drop/ann/talks/',
    'drop//talks/x',
    'other/ann/x',
    'drop/a b/x',
    'drop/ann/bad col/x',
  ])('%s is none', (key) => {
    expect(parseDropKey(key)).toBeNull();
  });
  it('comes back from its parts', () => {
    const location = { creatorId: 'ann', collectionId: 'talks', path: 'a/b.mp4' };
    expect(parseDropKey(dropKey(location))).toEqual(location);
  });
});

describe('ids', () => {
  it('of a media depend on bucket and key alone', async () => {
    expect(await mediaIdFor('b', 'drop/ann/x.mp4')).toBe(await mediaIdFor('b', 'drop/ann/x.mp4'));
    expect(await mediaIdFor('b', 'drop/ann/x.mp4')).toMatch(/^[a-z2-7]{26}$/);
    expect(await mediaIdFor('b', 'drop/ann/y.mp4')).not.toBe(await mediaIdFor('b', 'drop/ann/x.mp4'));
    expect(await mediaIdFor('c', 'drop/ann/x.mp4')).not.toBe(await mediaIdFor('b', 'drop/ann/x.mp4'));
  });
  it('of a job carry its media and number', () => {
    const id = jobIdFor('abcdefghijklmnopqrstuvwxyz', 12);
    expect(id).toBe('abcdefghijklmnopqrstuvwxyz-12');
    expect(parseJobId(id)).toEqual({ mediaId: 'abcdefghijklmnopqrstuvwxyz', n: 12 });
  });
  it.each([
    '',
    'abc-1',
    'abcdefghijklmnopqrstuvwxyz-0',
    'abcdefghijklmnopqrstuvwxyz-1/../x',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ-1',
  ])('"%s" is no job id', (text) => {
    expect(JobId.safeParse(text).success).toBe(false);
  });
});

it('versions of one media share no folder with each other or with tmp/', () => {
  const keys = mediaKeys('ann', 'abcdefghijklmnopqrstuvwxyz');
  const [one, ten] = [keys.version(1), keys.version(10)];
  expect(ten.hls.startsWith(one.hls)).toBe(false);
  expect(ten.mp4.startsWith(one.mp4)).toBe(false);
  expect(Object.values(one).some((key) => key.startsWith(tmpPrefix('abcdefghijklmnopqrstuvwxyz-1')))).toBe(false);
});

it('what is private has the same keys under private/', () => {
  const [open, closed] = [mediaKeys('ann', 'x'), mediaKeys('ann', 'x', 'private')];
  expect([open.master, closed.master]).toEqual(['ann/hls/x/master.m3u8', 'private/ann/hls/x/master.m3u8']);
  expect(closed.version(2).mp4).toBe('private/ann/mp4/x/v2.mp4');
  expect(mediaPrefixes('ann', 'x')).toEqual([...open.prefixes, ...closed.prefixes]);
  expect(closed.prefixes[0]).toBe('private/ann/hls/x/');
});
