import { describe, expect, it } from 'vitest';
import { embedCode, embedUrl, framers, frameSize, parseEmbedUrl } from '../../../../core/contracts/embed.ts';
import { EmbedOrigins } from '../../../../core/contracts/http/fields.ts';
import { MEDIA_ID } from '../../../support/factories.ts';

const DELIVERY = 'https://media.example.com';
const ANN = { creatorId: 'ann', mediaId: MEDIA_ID };

describe('the address of a page', () => {
  it('is read as it was made, whatever stands behind its path', () => {
    const url = embedUrl(DELIVERY, ANN);
    expect(url).toBe(`https://media.example.com/embed/ann/${MEDIA_ID}`);
    expect(parseEmbedUrl(url, DELIVERY)).toEqual(ANN);
    expect(parseEmbedUrl(`${url}?x=1#Policy=p`, DELIVERY)).toEqual(ANN);
  });

  it.each([
    ['nothing', ''],
    ['no address', 'embed/ann'],
    ['another site', `https://evil.example.com/embed/ann/${MEDIA_ID}`],
    ['another scheme', `http://media.example.com/embed/ann/${MEDIA_ID}`],
    ['a site whose name only begins alike', `https://media.example.com.evil.org/embed/ann/${MEDIA_ID}`],
    ['another page', `https://media.example.com/console/ann/${MEDIA_ID}`],
    ['no media id', 'https://media.example.com/embed/ann/one'],
    ['more than a page', `https://media.example.com/embed/ann/${MEDIA_ID}/x`],
  ])('is not %s', (_, url) => {
    expect(parseEmbedUrl(url, DELIVERY)).toBeNull();
  });
});

describe('who may frame', () => {
  it.each([
    ['any site what is public', 'public', null, ['*']],
    ['no site what is private', 'private', undefined, []],
    ['the named sites what is public', 'public', ['https://a.example'], ['https://a.example']],
    ['the named sites what is private', 'private', ['https://a.example'], ['https://a.example']],
    ['no site what is public, when none is named', 'public', [], []],
  ] as const)('%s', (_, access, origins, sites) => {
    expect(framers(access, origins)).toEqual(sites);
  });

  it.each(['https://www.example.com', 'http://localhost:3000', 'https://*.example.com'])('%s is a site', (site) => {
    expect(EmbedOrigins.safeParse([site]).success).toBe(true);
  });

  it.each([
    'https://example.com/',
    'https://example.com; script-src *',
    "'self'",
    '*',
    'https://*',
    'https://a.example https://b.example',
    'https://a.example\n',
    'example.com',
    'javascript://example.com',
  ])('%j is none', (site) => {
    expect(EmbedOrigins.safeParse([site]).success).toBe(false);
  });
});

describe('the size of a frame', () => {
  const of = (width: number, height: number) => [{ name: '128k' }, { width, height }];

  it.each([
    ['640 wide', of(1280, 720), {}, { width: 640, height: 360 }],
    ['640 high where the picture stands', of(1080, 1920), {}, { width: 360, height: 640 }],
    ['as wide as is allowed', of(1280, 720), { maxWidth: 1000, maxHeight: 5000 }, { width: 1000, height: 563 }],
    ['as high as is allowed', of(1280, 720), { maxWidth: 1000, maxHeight: 90 }, { width: 160, height: 90 }],
    ['of 16:9 where the shape is not known', [], {}, { width: 640, height: 360 }],
  ])('is %s', (_, renditions, most, size) => {
    expect(frameSize('video', renditions, most)).toEqual(size);
  });

  it('has room for a waveform where there is only sound, and no more than is allowed', () => {
    expect(frameSize('audio', [])).toEqual({ width: 640, height: 200 });
    expect(frameSize('audio', [], { maxWidth: 300 })).toEqual({ width: 300, height: 200 });
  });
});

it('has a title as text in the code', () => {
  const code = embedCode({ url: 'https://m.example/embed/a/b#x=1&y=2', title: `"><script>'&`, width: 1, height: 2 });
  expect(code).toContain('src="https://m.example/embed/a/b#x=1&amp;y=2" width="1" height="2"');
  expect(code).toContain('title="&quot;&gt;&lt;script&gt;&#39;&amp;"');
});
