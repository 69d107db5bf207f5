import { expect, it } from 'vitest';
import { describeMedia } from '../../../cli/describe-media.ts';
import { mediaView } from '../../../core/api/views.ts';
import { MediaView } from '../../../core/contracts/http/media.ts';
import { media, NOW, version } from '../../support/factories.ts';

const settings = { deliveryUrl: 'https://cdn.example', maxAttempts: 2, now: NOW };

it('a media item is shown with the warnings of its version, which cannot command a terminal', () => {
  const warnings = [
    { code: 'track_skipped', message: 'The audio track 2 was not taken.' },
    { code: 'of_a_later_release', at: 4.25, message: 'An\u001b[2J odd one.' },
  ];
  const view = MediaView.parse(mediaView(media({ state: 'ready', current: version(1, { warnings }) }), settings));
  const lines = describeMedia(view).split('\n');
  expect(lines.filter((line) => line.startsWith('warning'))).toEqual([
    'warning     The audio track 2 was not taken. (track_skipped)',
    'warning     from 4.3 s: An�[2J odd one. (of_a_later_release)',
  ]);
});

it('a version from before there were warnings has none', () => {
  expect(mediaView(media({ state: 'ready', current: version(1) }), settings).version?.warnings).toEqual([]);
});

it('of a source its tracks are shown with a single media item, and not in lists', () => {
  const tracks = [
    { index: 0, type: 'video', codec: 'h264', width: 640, height: 360, taken: true },
    { index: 1, type: 'audio', codec: 'aac', channels: 2, sampleRate: 48_000, language: 'de', taken: true },
    { index: 2, type: 'subtitle', codec: 'subrip', taken: false, why: 'Subtitles are not carried.' },
  ];
  const row = media({ sourceInfo: { container: 'matroska,webm', durationSeconds: 2, tracks, moreTracks: 3 } });
  expect(mediaView(row, settings).source).toMatchObject({ container: 'matroska,webm' });
  expect(mediaView(row, settings).source.tracks).toBeUndefined();
  const lines = describeMedia(MediaView.parse(mediaView(row, settings, { sourceTracks: true }))).split('\n');
  expect(lines.filter((line) => /^(?:source|track)/.test(line))).toEqual([
    'source      matroska,webm 0:02',
    'track       0 video h264 640×360',
    'track       1 audio aac 2 ch 48000 Hz de',
    'track       2 subtitle subrip not taken: Subtitles are not carried.',
    'tracks      3 more',
  ]);
});

it('a restore is shown while the encode waits for it, and not what is left of an earlier one', () => {
  const restoring = {
    ...{ from: 'GLACIER', tier: 'Bulk' as const, requestedAt: '2026-11-30T12:00:00.000Z' },
    expectedAt: '2026-12-01T00:00:00.000Z',
  };
  const error = { code: 'source_restoring' as const, message: 'Wait.', at: '2026-11-30T12:00:00.000Z' };
  const waits = mediaView(media({ state: 'retranscoding', restoring, error }), settings);
  expect(waits.restoring).toEqual(restoring);
  expect(describeMedia(waits)).toContain('from GLACIER, Bulk, by 2026-12-01T00:00:00.000Z');
  expect(mediaView(media({ state: 'ready', restoring }), settings)).not.toHaveProperty('restoring');
});
