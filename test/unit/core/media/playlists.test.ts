import { expect, test } from 'vitest';
import { measureBandwidth } from '../../../../core/media/bandwidth.ts';
import {
  countWithin,
  readMediaPlaylist,
  targetDuration,
  writeMediaPlaylist,
} from '../../../../core/media/media-playlist.ts';

const TEXT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="720p.mp4",BYTERANGE="700@0"
#EXTINF:6.006000,
#EXT-X-BYTERANGE:1000@764
720p.mp4
#EXTINF:2.002000,
#EXT-X-BYTERANGE:300@1764
720p.mp4
#EXT-X-ENDLIST
`;
const PLAYLIST = {
  init: { uri: '720p.mp4', range: { offset: 0, bytes: 700 } },
  segments: [
    { uri: '720p.mp4', durationSeconds: 6.006, range: { offset: 764, bytes: 1000 } },
    { uri: '720p.mp4', durationSeconds: 2.002, range: { offset: 1764, bytes: 300 } },
  ],
};

test('a written playlist is read back unchanged', () => {
  expect(writeMediaPlaylist(PLAYLIST, 6)).toBe(TEXT);
  expect(readMediaPlaylist(TEXT)).toEqual(PLAYLIST);
});

/** As releases up to 0.1 wrote them. */
const SEGMENT_FILES = `#EXTM3U
#EXT-X-MAP:URI="720p_init.mp4"
#EXTINF:6.006000,
720p_000.m4s
#EXTINF:2.002000,
720p_001.m4s
#EXT-X-ENDLIST
`;

test('a playlist that names a file for each segment is read, and written, too', () => {
  const playlist = {
    init: { uri: '720p_init.mp4' },
    segments: [
      { uri: '720p_000.m4s', durationSeconds: 6.006 },
      { uri: '720p_001.m4s', durationSeconds: 2.002 },
    ],
  };
  expect(readMediaPlaylist(SEGMENT_FILES)).toEqual(playlist);
  expect(writeMediaPlaylist(playlist, 6)).toContain(SEGMENT_FILES.slice('#EXTM3U\n'.length));
});

test('all playlists of a stream have the target duration of the longest segment, rounded', () => {
  const of = (...seconds: number[]) => ({
    init: { uri: 'i' },
    segments: seconds.map((durationSeconds) => ({ uri: 'u', durationSeconds })),
  });
  expect(targetDuration([of(6, 6, 0.1), of(6.49, 5)])).toBe(6);
  expect(targetDuration([of(6, 6), of(6.5)])).toBe(7);
  expect(targetDuration([of(0.04)])).toBe(1);
});

test('an incomplete playlist is refused', () => {
  expect(() => readMediaPlaylist(TEXT.replace('#EXT-X-ENDLIST\n', ''))).toThrow('EXT-X-ENDLIST');
  expect(() => readMediaPlaylist(TEXT.replace(/#EXT-X-MAP.*\n/, ''))).toThrow('EXT-X-MAP');
});

test('the first 30 s are five segments of 6 s, also where audio is cut a little early', () => {
  const of = (durationSeconds: number) => Array.from({ length: 9 }, () => ({ durationSeconds }));
  expect([6, 5.99, 6.016, 17].map((seconds) => countWithin(of(seconds), 30))).toEqual([5, 5, 5, 2]);
});

test('the peak is that of the densest run of about a segment, so a short last one does not count alone', () => {
  const segments = [
    { bytes: 750_000, durationSeconds: 6 },
    { bytes: 1_500_000, durationSeconds: 6 },
    { bytes: 100_000, durationSeconds: 0.04 },
  ];
  expect(measureBandwidth(segments, 6)).toEqual({ peak: 2_119_206, average: 1_561_462 });
});

test('a run of more than one and a half target durations does not count for the peak', () => {
  const dense = { bytes: 1_000_000, durationSeconds: 2 };
  const sparse = { bytes: 100_000, durationSeconds: 6 };
  // 8 s from the first segment count, and 10 s, which have more bits per second, do not.
  const segments = [dense, sparse, dense, sparse, sparse, sparse, sparse];
  expect(measureBandwidth(segments, 6)).toEqual({ peak: 1_100_000, average: 588_236 });
});

test('a still picture of ten minutes does not hide the peak of the film behind it', () => {
  const film = Array.from({ length: 100 }, () => ({ bytes: 3_750_000, durationSeconds: 6 }));
  const segments = [{ bytes: 10_000, durationSeconds: 600 }, ...film];
  expect(measureBandwidth(segments, 600)).toEqual({ peak: 5_000_000, average: 2_500_067 });
});

test('the sound beside long segments of pictures is measured by their target duration', () => {
  const loud = { bytes: 96_000, durationSeconds: 6 };
  const quiet = { bytes: 24_000, durationSeconds: 6 };
  const segments = [quiet, quiet, quiet, loud, quiet, quiet];
  expect(measureBandwidth(segments, 6).peak).toBe(128_000);
  expect(measureBandwidth(segments, 24).peak).toBe(80_000);
});

test('the peak of a stream of one short segment is that of the segment', () => {
  const segments = [{ bytes: 5000, durationSeconds: 0.04 }];
  expect(measureBandwidth(segments, 1)).toEqual({ peak: 1_000_000, average: 1_000_000 });
});
