import { describe, expect, it } from 'vitest';
import { danglingUris, playlistUris, prefixUris, withComment } from '../../../../core/publish/playlist-uris.ts';

const MASTER = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-128k",NAME="Audio",DEFAULT=YES,URI="audio-128k.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="audio-128k"
720p.m3u8
`;
const MEDIA = `#EXTM3U
#EXT-X-MAP:URI="720p_init.mp4"
#EXTINF:6.0,
720p_000.m4s
#EXTINF:3.5,
720p_001.m4s
#EXT-X-ENDLIST
`;

it('the URIs of a playlist are its lines and its URI attributes', () => {
  expect(playlistUris(MASTER)).toEqual(['audio-128k.m3u8', '720p.m3u8']);
  expect(playlistUris(MEDIA)).toEqual(['720p_init.mp4', '720p_000.m4s', '720p_001.m4s']);
  expect(playlistUris(MEDIA.replaceAll('\n', '\r\n'))).toEqual(['720p_init.mp4', '720p_000.m4s', '720p_001.m4s']);
});

it('a playlist that is moved beside its folder has the folder before each URI, and is otherwise unchanged', () => {
  expect(prefixUris(MASTER, 'v3/')).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-128k",NAME="Audio",DEFAULT=YES,URI="v3/audio-128k.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="audio-128k"
v3/720p.m3u8
`);
});

const MANIFEST = `<?xml version="1.0" encoding="UTF-8"?>
<MPD>
  <BaseURL>720p.mp4</BaseURL>
  <BaseURL>audio-64k.mp4</BaseURL>
</MPD>
`;

it('the URIs of a manifest are its BaseURL elements, and it is moved as a playlist is', () => {
  expect(playlistUris(MANIFEST)).toEqual(['720p.mp4', 'audio-64k.mp4']);
  expect(prefixUris(MANIFEST, 'v3/')).toBe(MANIFEST.replace('720p', 'v3/720p').replace('audio', 'v3/audio'));
});

it('a comment is one of its format', () => {
  expect(withComment(MEDIA, 'x')).toBe(`${MEDIA}# x\n`);
  expect(withComment(MANIFEST, 'x')).toBe(`${MANIFEST}<!-- x -->\n`);
});

describe('dangling URIs', () => {
  const keys = new Set(['a/v1/720p_init.mp4', 'a/v1/720p_000.m4s', 'a/v1/720p_001.m4s', 'a/secret.m4s']);
  it('are none when every object exists', () => {
    expect(danglingUris(MEDIA, 'a/v1/720p.m3u8', keys)).toEqual([]);
  });
  it.each(['720p_002.m4s', '../secret.m4s', 'https://example.org/x.m4s', '/a/secret.m4s'])('include %s', (uri) => {
    expect(danglingUris(`${MEDIA}${uri}\n`, 'a/v1/720p.m3u8', keys)).toEqual([uri]);
  });
});
