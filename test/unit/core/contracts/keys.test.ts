import { describe, expect, it } from 'vitest';
import { creatorIdFor, JobId, jobIdFor, mediaIdFor, parseJobId } from '../../../../core/contracts/ids.ts';
import { dropKey, mediaKeys, mediaPrefixes, parseDropKey, tmpPrefix } from '../../../../core/contracts/keys.ts';
import { MediaRow } from '../../../../core/contracts/table/media.ts';
import { media } from '../../../support/factories.ts';

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
    'drop/console/x',
    'drop/ann/bad col/x',
  ])('%s is not a drop key', (key) => {
    expect(parseDropKey(key)).toBeNull();
  });
  it('is rebuilt from its parts', () => {
    const location = { creatorId: 'ann', collectionId: 'talks', path: 'a/b.mp4' };
    expect(parseDropKey(dropKey(location))).toEqual(location);
  });
});

describe('ids', () => {
  it('of a creator that are reserved are given to nobody, and are read of rows', async () => {
    expect(await creatorIdFor('console')).toMatch(/^u-[a-z2-7]{32}$/);
    expect(MediaRow.parse(media({ creatorId: 'console', owner: 'console' }))).toMatchObject({ creatorId: 'console' });
  });
  it('of a media item depend on bucket and key only', async () => {
    expect(await mediaIdFor('b', 'drop/ann/x.mp4')).toBe(await mediaIdFor('b', 'drop/ann/x.mp4'));
    expect(await mediaIdFor('b', 'drop/ann/x.mp4')).toMatch(/^[a-z2-7]{26}$/);
    expect(await mediaIdFor('b', 'drop/ann/y.mp4')).not.toBe(await mediaIdFor('b', 'drop/ann/x.mp4'));
    expect(await mediaIdFor('c', 'drop/ann/x.mp4')).not.toBe(await mediaIdFor('b', 'drop/ann/x.mp4'));
  });
  it('of a job contain its media item and number', () => {
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
  ])('"%s" is not a job id', (text) => {
    expect(JobId.safeParse(text).success).toBe(false);
  });
});

it('versions of one media item share no folder with each other or with tmp/', () => {
  const keys = mediaKeys('ann', 'abcdefghijklmnopqrstuvwxyz');
  const [one, ten] = [keys.version(1), keys.version(10)];
  expect(ten.hls.startsWith(one.hls)).toBe(false);
  expect(ten.mp4.startsWith(one.mp4)).toBe(false);
  expect(Object.values(one).some((key) => key.startsWith(tmpPrefix('abcdefghijklmnopqrstuvwxyz-1')))).toBe(false);
});

it('every private object lies under private/, creator and media item', () => {
  const [open, closed] = [mediaKeys('ann', 'x'), mediaKeys('ann', 'x', 'private')];
  expect([open.master, closed.master]).toEqual(['ann/hls/x/master.m3u8', 'private/ann/x/hls/master.m3u8']);
  expect(closed.version(2).mp4).toBe('private/ann/x/mp4/v2.mp4');
  expect(mediaPrefixes('ann', 'x')).toEqual([...open.prefixes, ...closed.prefixes]);
  expect(closed.prefixes).toEqual(['private/ann/x/']);
  const { version, prefixes, ...pointers } = closed;
  const all = [...Object.values(pointers), ...Object.values(version(2))];
  expect(all.filter((key) => !key.startsWith('private/ann/x/'))).toEqual([]);
});
