import { expect, test } from 'vitest';
import { masterPlaylist } from '../../../../core/media/master-playlist.ts';

const measured = { bandwidth: 5_400_000, averageBandwidth: 2_100_000, durationSeconds: 12, bytes: 3_150_000 };

test("a video's playlist names each audio group once, and each rung with its own group", () => {
  const group = {
    codecs: 'mp4a.40.2',
    channels: 2,
    bandwidth: 130_000,
    averageBandwidth: 128_000,
    bytes: 1,
    durationSeconds: 12,
  };
  const text = masterPlaylist(
    {
      audio: [
        { ...group, id: 'audio-128k', playlist: 'audio-128k.m3u8' },
        { ...group, id: 'audio-64k', playlist: 'audio-64k.m3u8', channels: 1 },
      ],
      renditions: [
        {
          ...measured,
          name: '1080p',
          playlist: '1080p.m3u8',
          width: 1920,
          height: 1080,
          frameRate: 24_000 / 1001,
          codecs: 'avc1.4D4028,mp4a.40.2',
          audio: 'audio-128k',
        },
        {
          ...measured,
          name: '360p',
          playlist: '360p.m3u8',
          width: 640,
          height: 360,
          frameRate: 25,
          codecs: 'avc1.4D401E,mp4a.40.2',
          audio: 'audio-64k',
        },
      ],
    },
    'v3/',
  );
  expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-128k",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="v3/audio-128k.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-64k",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="v3/audio-64k.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=5400000,AVERAGE-BANDWIDTH=2100000,CODECS="avc1.4D4028,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO="audio-128k"
v3/1080p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=5400000,AVERAGE-BANDWIDTH=2100000,CODECS="avc1.4D401E,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="audio-64k"
v3/360p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2",AUDIO="audio-128k"
v3/audio-128k.m3u8
`);
});

test("an audio file's playlist has neither resolution, frame rate nor audio group", () => {
  const text = masterPlaylist(
    { audio: [], renditions: [{ ...measured, name: '128k', playlist: '128k.m3u8', codecs: 'mp4a.40.2' }] },
    '',
  );
  expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=5400000,AVERAGE-BANDWIDTH=2100000,CODECS="mp4a.40.2"
128k.m3u8
`);
});

test('the variant nearest to 2 Mbit/s on average stands first', () => {
  const renditions = [5_500_000, 2_600_000, 1_100_000, 600_000].map((averageBandwidth, i) => ({
    ...measured,
    averageBandwidth,
    name: `${i}`,
    playlist: `${i}.m3u8`,
    codecs: 'avc1.4D401E',
  }));
  const text = masterPlaylist({ audio: [], renditions }, '');
  expect(text.match(/^\d\.m3u8$/gm)).toEqual(['1.m3u8', '0.m3u8', '2.m3u8', '3.m3u8']);
});

test('sound is named after its language', () => {
  const group = { ...measured, id: 'audio-64k', playlist: 'a.m3u8', codecs: 'mp4a.40.2', channels: 2 };
  const line = (language: string) => masterPlaylist({ audio: [{ ...group, language }], renditions: [] }, '');
  expect(line('de')).toContain(',NAME="German",LANGUAGE="de",DEFAULT=YES,');
  expect(line('qaa')).toContain(',NAME="Audio",LANGUAGE="qaa",');
});

test('captions in the picture are announced, and their absence too, on every variant', () => {
  const group = { ...measured, id: 'audio-64k', playlist: 'a.m3u8', codecs: 'mp4a.40.2', channels: 2 };
  const video = { ...measured, name: '360p', playlist: '360p.m3u8', width: 640, height: 360, codecs: 'avc1.4D401E' };
  const variants = (captions?: boolean) =>
    masterPlaylist({ audio: [group], renditions: [video], captions }, '')
      .split('\n')
      .filter((line) => line.startsWith('#EXT-X-STREAM-INF'))
      .map((line) => /CLOSED-CAPTIONS=.*/.exec(line)?.[0]);
  expect(variants()).toEqual([undefined, undefined]);
  expect(variants(false)).toEqual(['CLOSED-CAPTIONS=NONE', 'CLOSED-CAPTIONS=NONE']);
  expect(variants(true)).toEqual(['CLOSED-CAPTIONS="cc"', undefined]);
  expect(masterPlaylist({ audio: [], renditions: [video], captions: true }, '')).toContain(
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1"\n',
  );
});

test('captions of several channels are one group', () => {
  const video = { ...measured, name: '360p', playlist: '360p.m3u8', codecs: 'avc1.4D401E' };
  const captionChannels = ['CC1', 'SERVICE2'];
  const text = masterPlaylist({ audio: [], renditions: [video], captions: true, captionChannels }, '');
  expect(text.match(/^#EXT-X-MEDIA.*$/gm)).toEqual([
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1"',
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="SERVICE2",INSTREAM-ID="SERVICE2"',
  ]);
});

test('of a rate that varies, FRAME-RATE is the highest, to three decimals', () => {
  const video = { ...measured, name: '360p', playlist: '360p.m3u8', width: 640, height: 360, codecs: 'avc1.4D401E' };
  const rendition = { ...video, frameRate: 12.5, maxFrameRate: 30_000 / 1001 };
  expect(masterPlaylist({ audio: [], renditions: [rendition] }, '')).toContain(',FRAME-RATE=29.970,');
});
