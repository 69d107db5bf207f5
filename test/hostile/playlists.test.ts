import { bytes } from './boxes.ts';
import { film, plain, write } from './files.ts';
import { type HostileFile, hostileFiles, type Outcome, type Workshop } from './harness.ts';

/** Texts that would have FFmpeg or a player open something else: the listener's port, or a file of the machine. */
const SCRIPTS: Record<string, (url: string) => string> = {
  hls: (url) => `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${url}\n#EXT-X-ENDLIST\n`,
  'hls with a key': (url) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="${url}"\n#EXTINF:9,\na.ts\n#EXT-X-ENDLIST\n`,
  'hls with a map': (url) => `#EXTM3U\n#EXT-X-MAP:URI="${url}"\n#EXTINF:9,\na.m4s\n#EXT-X-ENDLIST\n`,
  concat: (url) => `ffconcat version 1.0\nfile '${url}'\n`,
  'concat without a head': (url) => `file '${url}'\n`,
  metadata: (url) => `;FFMETADATA1\ntitle=${url}\n`,
  pls: (url) => `[playlist]\nFile1=${url}\n`,
  reference: (url) => `[Reference]\nRef1=${url}\n`,
  sdp: () => 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 18777 RTP/AVP 96\r\n',
  dash: (url) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>${url}</BaseURL><Period/></MPD>`,
  smil: (url) => `<smil><body><video src="${url}"/></body></smil>`,
  'smooth streaming': (url) => `<?xml version="1.0"?><SmoothStreamingMedia><!-- ${url} --></SmoothStreamingMedia>`,
  asx: (url) => `<asx version="3.0"><entry><ref href="${url}"/></entry></asx>`,
  xspf: (url) => `<?xml version="1.0"?><playlist><track><location>${url}</location></track></playlist>`,
};
const DISGUISES: Record<string, (text: string) => Uint8Array> = {
  'as it is': (text) => bytes(text),
  'after a byte order mark': (text) => bytes('\xef\xbb\xbf', text),
  'after 2,000 newlines': (text) => bytes('\n'.repeat(2000), text),
  'with a byte that is not UTF-8': (text) => bytes(text, [0xff]),
};
/** Of these the sniff cannot tell a script: no demuxer may either. */
const HIDDEN: Record<string, (text: string) => Uint8Array> = {
  'after a NUL': (text) => bytes([0], text),
  'after an ID3 tag': (text) => bytes('ID3\x03\0\0\0\0\0\0', text),
  'after 5,000 newlines': (text) => bytes('\n'.repeat(5000), text),
  'as UTF-16': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'after a picture': (text) => bytes('\x89PNG\r\n\x1a\n', text),
};
const REFUSED: readonly Outcome[] = ['playlist_refused', 'not_media', 'still_image', 'no_tracks', 'corrupt'];
const http = ({ port }: Workshop) => `http://127.0.0.1:${port}/a.ts`;

const disguised = Object.entries(SCRIPTS).flatMap(([name, script]) =>
  Object.entries(DISGUISES).map(([how, disguise], i) =>
    plain(
      `${name}, ${how}`,
      'playlist_refused',
      (shop) => disguise(script(http(shop))),
      name === 'hls' && i === 0 ? true : undefined,
    ),
  ),
);
const hidden = ['hls', 'concat', 'dash', 'sdp'].flatMap((name) =>
  Object.entries(HIDDEN).map(([how, disguise]) =>
    plain(`${name}, ${how}`, REFUSED, (shop) => disguise(SCRIPTS[name]?.(http(shop)) ?? '')),
  ),
);
const local = ['/etc/passwd', 'file:///etc/passwd', 'subfile,,start,0,end,64,,:/etc/passwd', 'data:,x', 'pipe:0'].map(
  (target) => plain(`hls that names ${target}`, 'playlist_refused', SCRIPTS.hls?.(target) ?? ''),
);

/** A MOV whose media lie elsewhere, by a data reference of its own. */
async function elsewhere(shop: Workshop): Promise<string> {
  const mov = await film(shop, 'mov');
  const found = mov.indexOf('url \0\0\0\x01', 0, 'latin1');
  // Flag 0: not in this file. There is no room for an address, so FFmpeg meets an empty one.
  if (found > 0) mov.writeUInt32BE(0, found + 4);
  return write(shop, mov);
}

const references: HostileFile[] = [
  {
    title: 'a MOV whose data reference is another file',
    becomes: ['ready', 'corrupt', 'encode_failed'],
    make: elsewhere,
  },
];

hostileFiles('playlists in disguise', [...disguised, ...hidden, ...local, ...references]);
hostileFiles('text', [
  plain('4 KB of XML comments, one byte no UTF-8', 'not_media', bytes('<!---->'.repeat(585), [0xff]), true),
  plain('100 KB of open comments', 'not_media', '<!--'.repeat(25_000)),
  plain('a letter', 'not_media', 'Dear diary, today I renamed a letter.\n'),
  plain('JSON', 'not_media', '{"a":'.repeat(1000)),
  plain('a web page', 'not_media', '<!DOCTYPE html><html><body>film</body></html>'),
  plain('a script of a shell', 'not_media', '#!/bin/sh\nrm -rf /\n'),
  plain('subtitles', 'not_media', '1\n00:00:00,000 --> 00:00:01,000\nHello\n'),
]);
