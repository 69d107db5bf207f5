import { expect, it } from 'vitest';
import { canonicalJson, etagOf, matches } from '../../../../core/api/etag.ts';
import type { EndpointRow } from '../../../../core/contracts/table/webhooks.ts';
import { newCollection } from '../../../../core/jobs/transitions.ts';
import { media } from '../../../support/factories.ts';

const row: EndpointRow = {
  type: 'webhook',
  endpointId: 'wh_aaaaaaaaaaaaaaaa',
  creatorId: 'ada',
  url: 'https://example.com/',
  events: [],
  description: '',
  enabled: true,
  secrets: [{ secret: 'a' }],
  state: 'active' as const,
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
};

it('an ETag is the same for the same row, whatever the order of its fields, and differs for another', async () => {
  const etag = await etagOf(row);
  expect(etag).toMatch(/^"[0-9a-f]{24}"$/);
  expect(await etagOf(Object.fromEntries(Object.entries(row).reverse()) as EndpointRow)).toBe(etag);
  expect(await etagOf({ ...row, enabled: false })).not.toBe(etag);
});

it('the ETag of a media item or a collection stays while sweep only records its progress', async () => {
  const collection = newCollection({ creatorId: 'ada', collectionId: 'talks' }, row.createdAt).row;
  const etag = await etagOf(collection);
  const noted = { todo: 'collection', todoAt: row.createdAt, flagCursor: { flag: row.createdAt, after: '{}' } };
  expect(await etagOf({ ...collection, ...noted })).toBe(etag);
  expect(await etagOf({ ...collection, scheduleRetranscode: true })).not.toBe(etag);
  expect(await etagOf(media({ flaggedFor: row.createdAt }))).toBe(await etagOf(media()));
});

it('a change is accepted when If-Match names this version, any version, or is absent', () => {
  expect(matches(null, '"a"')).toBe(true);
  expect(matches('*', '"a"')).toBe(true);
  expect(matches('"b", "a"', '"a"')).toBe(true);
  expect(matches('"b"', '"a"')).toBe(false);
  expect(matches('W/"a"', '"a"')).toBe(false);
});

it('canonical JSON has sorted keys at every depth', () => {
  expect(canonicalJson({ b: [{ d: 1, c: undefined, a: null }], a: 'x' })).toBe('{"a":"x","b":[{"a":null,"d":1}]}');
});
