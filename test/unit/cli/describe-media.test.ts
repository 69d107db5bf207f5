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
