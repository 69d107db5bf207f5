import { expect, it } from 'vitest';
import { canonicalJson, etagOf, matches } from '../../../../core/api/etag.ts';
import type { CollectionRow } from '../../../../core/contracts/rows.ts';
import type { EndpointRow } from '../../../../core/contracts/webhooks.ts';
import { newCollection } from '../../../../core/jobs/transitions.ts';
import { media } from '../jobs/factories.ts';

const row: EndpointRow = {
  type: 'webhook',
  endpointId: 'wh_aaaaaaaaaaaaaaaa',
  creatorId: 'ada',
  url: 'https://example.com/',
  events: [],
  description: '',
  enabled: true,
  secrets: [{ secret: 'a' }],
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
};

it('is the same for the same row, whatever the order of its fields, and another for another', async () => {
  const etag = await etagOf(row);
  expect(etag).toMatch(/^"[0-9a-f]{24}"$/);
  expect(await etagOf(Object.fromEntries(Object.entries(row).reverse()) as EndpointRow)).toBe(etag);
  expect(await etagOf({ ...row, enabled: false })).not.toBe(etag);
});

it('of a media or a collection stays while sweep only notes how far it came', async () => {
  const collection = newCollection({ creatorId: 'ada', collectionId: 'talks', path: '' }, row.createdAt).row;
  const etag = await etagOf(collection as CollectionRow);
  const noted = { todo: 'collection', todoAt: row.createdAt, flagCursor: { flag: row.createdAt, after: '{}' } };
  expect(await etagOf({ ...(collection as CollectionRow), ...noted })).toBe(etag);
  expect(await etagOf({ ...(collection as CollectionRow), scheduleRetranscode: true })).not.toBe(etag);
  expect(await etagOf(media({ flaggedFor: row.createdAt }))).toBe(await etagOf(media()));
});

it('lets a change through when If-Match names this version, any, or is absent', () => {
  expect(matches(null, '"a"')).toBe(true);
  expect(matches('*', '"a"')).toBe(true);
  expect(matches('"b", "a"', '"a"')).toBe(true);
  expect(matches('"b"', '"a"')).toBe(false);
  expect(matches('W/"a"', '"a"')).toBe(false);
});

it('writes JSON with sorted keys at every depth', () => {
  expect(canonicalJson({ b: [{ d: 1, c: undefined, a: null }], a: 'x' })).toBe('{"a":"x","b":[{"a":null,"d":1}]}');
});
