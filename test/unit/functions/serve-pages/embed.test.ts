import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { embedPage } from '../../../../functions/serve-pages/embed.ts';
import { MEDIA_ID, media, version } from '../../../support/factories.ts';

const template = await readFile('web/console/embed.html', 'utf8');
const env = { API_URL: 'https://api.example.com/prod/', DELIVERY_URL: 'https://media.example.com' };
const ready = (more: Parameters<typeof media>[0] = {}) => media({ state: 'ready', current: version(1), ...more });
const page = (row = ready(), embedOrigins: string[] | null = null) =>
  embedPage(row, { embedOrigins }, template, env) as {
    statusCode: number;
    headers: Record<string, string>;
    body: string;
  };
const framedBy = ({ headers }: ReturnType<typeof page>) =>
  /frame-ancestors (.*)$/.exec(headers['content-security-policy'] ?? '')?.[1];

it('has what is to be played, as attributes', () => {
  const { statusCode, body } = page();
  expect(statusCode).toBe(200);
  expect(body).toContain(`data-hls="/ann/hls/${MEDIA_ID}/master.m3u8"`);
  expect(body).toContain('data-title="one.mp4"');
  expect(body).toContain('<title>one.mp4</title>');
});

it('has a title as text, wherever that stands', () => {
  const title = `</title><script>alert(1)</script>"'$&$\``;
  const { body } = page(ready({ title }));
  expect(body.match(/<script/g)).toHaveLength(1);
  expect(body).toContain('<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;$&amp;$`</title>');
  expect(body).toContain('data-title="&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;$&amp;$`"');
});

it('says where oEmbed is', () => {
  const address = `https%3A%2F%2Fmedia.example.com%2Fembed%2Fann%2F${MEDIA_ID}`;
  expect(page().body).toContain(
    `<link rel="alternate" type="application/json+oembed" href="https://api.example.com/prod/oembed?url=${address}&amp;format=json" title="one.mp4">`,
  );
});

it('tells neither title nor oEmbed of what is private', () => {
  const { body } = page(ready({ title: 'The secret', current: version(1, { access: 'private' }) }));
  expect(body).not.toContain('secret');
  expect(body).not.toContain('oembed');
});

it('is framed by the sites that the collection names, or else by any where it is public', () => {
  expect(framedBy(page())).toBe('*');
  expect(framedBy(page(ready(), ['https://a.example', 'https://b.example']))).toBe(
    'https://a.example https://b.example',
  );
  expect(framedBy(page(ready(), []))).toBe("'none'");
  expect(framedBy(page(ready({ current: version(1, { access: 'private' }) })))).toBe("'none'");
  expect(page().headers['x-frame-options']).toBeUndefined();
});

it('runs no inline script', () => {
  expect(page().headers['content-security-policy']).toContain("script-src 'self';");
});

it.each([
  ['that is not there', null],
  ['that is not ready', ready({ state: 'transcoding' })],
  ['that is being deleted', ready({ state: 'deleting' })],
])('is not found of a media item %s', (_, row) => {
  const answer = embedPage(row, null, template, env);
  expect(answer).toMatchObject({ statusCode: 404, body: expect.not.stringContaining('data-hls') });
});
