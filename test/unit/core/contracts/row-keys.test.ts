import { expect, it } from 'vitest';
import { apiKeys, isVersionKey, parseJobKey, rowKeys, webhookKeys } from '../../../../core/contracts/table/keys.ts';
import { MEDIA_ID } from '../../../support/factories.ts';

it('the key of a job names its media item and its number', () => {
  expect(rowKeys.job(MEDIA_ID, 12)).toEqual({ pk: `MEDIA#${MEDIA_ID}`, sk: 'JOB#000012' });
  expect(parseJobKey(rowKeys.job(MEDIA_ID, 12))).toEqual({ mediaId: MEDIA_ID, n: 12 });
});

it('no other key of a media item is read as a job', () => {
  const others = [
    rowKeys.media(MEDIA_ID),
    rowKeys.tombstone(MEDIA_ID),
    rowKeys.oldVersion(MEDIA_ID, 1),
    apiKeys.upload(MEDIA_ID),
  ];
  expect(others.map(parseJobKey)).toEqual([null, null, null, null]);
  expect(others.map(isVersionKey)).toEqual([false, false, true, false]);
});

it.each([
  ['the jobs of a media item', rowKeys.jobs(MEDIA_ID), rowKeys.job(MEDIA_ID, 3), rowKeys.oldVersion(MEDIA_ID, 3)],
  [
    'the collections of a creator',
    rowKeys.collections('ann'),
    rowKeys.collection('ann', 'x'),
    rowKeys.collectionTombstone('ann', 'x'),
  ],
  [
    'the endpoints of a creator',
    webhookKeys.endpoints('ann'),
    webhookKeys.endpoint('ann', 'wh_x'),
    webhookKeys.count('ann'),
  ],
  [
    'the deliveries of an endpoint',
    webhookKeys.deliveries('wh_x'),
    webhookKeys.delivery('wh_x', '1'),
    webhookKeys.breaker('wh_x'),
  ],
])('%s are a range of their own', (_, range, inside, beside) => {
  expect([inside.pk, beside.pk]).toEqual([range.pk, range.pk]);
  expect(inside.sk.startsWith(range.skBegins)).toBe(true);
  expect(beside.sk.startsWith(range.skBegins)).toBe(false);
});
