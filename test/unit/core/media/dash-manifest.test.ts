import { expect, test } from 'vitest';
import type { Rendition } from '../../../../core/contracts/job.ts';
import { dashManifest } from '../../../../core/media/dash-manifest.ts';

const measured = { averageBandwidth: 400_000, durationSeconds: 12, bytes: 1 };
const sound = { sampleRate: 48_000, channels: 2, language: 'de' };
const group = {
  ...{ id: 'audio-64k', playlist: 'audio-64k.m3u8', codecs: 'mp4a.40.2', channels: 2, language: 'de' },
  ...{ ...measured, bandwidth: 66_000, durationSeconds: 12.0213 },
  file: { uri: 'audio-64k.mp4', initBytes: 765, indexBytes: 64, sound },
};
const rung: Rendition = {
  ...{ ...measured, name: '360p', playlist: '360p.m3u8', width: 640, height: 360, frameRate: 24_000 / 1001 },
  ...{ codecs: 'avc1.64001E,mp4a.40.2', bandwidth: 566_000, audio: 'audio-64k' },
  file: { uri: '360p.mp4', initBytes: 851, indexBytes: 76 },
};

test('a manifest names the files of rungs and sound, with the rates of each alone, and where their indexes are', () => {
  expect(
    dashManifest({ audio: [group], renditions: [rung], captions: true }),
  ).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static" mediaPresentationDuration="PT12.021S" minBufferTime="PT6S">
  <Period id="0">
    <AdaptationSet contentType="video" mimeType="video/mp4" subsegmentAlignment="true" subsegmentStartsWithSAP="1">
      <Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC1=und"/>
      <Representation id="360p" codecs="avc1.64001E" bandwidth="500000" width="640" height="360" frameRate="24000/1001" sar="1:1">
        <BaseURL>360p.mp4</BaseURL>
        <SegmentBase indexRange="851-926">
          <Initialization range="0-850"/>
        </SegmentBase>
      </Representation>
    </AdaptationSet>
    <AdaptationSet contentType="audio" mimeType="audio/mp4" lang="de" subsegmentAlignment="true" subsegmentStartsWithSAP="1">
      <Representation id="audio-64k" codecs="mp4a.40.2" bandwidth="66000" audioSamplingRate="48000">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
        <BaseURL>audio-64k.mp4</BaseURL>
        <SegmentBase indexRange="765-828">
          <Initialization range="0-764"/>
        </SegmentBase>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
`);
});

test('sound alone is one set', () => {
  const { width: _, height: __, frameRate: ___, audio: ____, ...plain } = rung;
  const { uri, initBytes, indexBytes } = group.file;
  const file = { uri, initBytes, indexBytes, sound: { sampleRate: 44_100, channels: 1 } };
  const text = dashManifest({ audio: [], renditions: [{ ...plain, name: '64k', codecs: 'mp4a.40.2', file }] });
  expect(text?.match(/<(AdaptationSet|Representation) .*>/g)).toEqual([
    '<AdaptationSet contentType="audio" mimeType="audio/mp4" subsegmentAlignment="true" subsegmentStartsWithSAP="1">',
    '<Representation id="64k" codecs="mp4a.40.2" bandwidth="566000" audioSamplingRate="44100">',
  ]);
});

test.each([
  [25, '25'],
  [30_000 / 1001, '30000/1001'],
  [29.97, '29970/1000'],
  [12.5, '12500/1000'],
])('a frame rate of %s is %s', (frameRate, text) => {
  expect(dashManifest({ audio: [group], renditions: [{ ...rung, frameRate }] })).toContain(` frameRate="${text}"`);
});

test('a result of an earlier release, whose renditions are not one file each, has no manifest', () => {
  const { file: _, ...earlier } = rung;
  expect(dashManifest({ audio: [group], renditions: [earlier] })).toBeNull();
});
