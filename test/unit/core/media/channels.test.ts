import { expect, test } from 'vitest';
import { mixChannels } from '../../../../core/media/channels.ts';

const CARDIOIDS = 'pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1';

test.each<[number, string | undefined, ReturnType<typeof mixChannels>]>([
  [1, 'mono', { channels: 1 }],
  [1, '1 channels (LFE)', { channels: 1 }],
  [2, 'stereo', { channels: 2 }],
  [2, undefined, { channels: 2 }],
  [2, '2 channels (BL+BR)', { channels: 2, mix: 'channelmap=0|1:channel_layout=stereo' }],
  [4, 'quad', { channels: 2, lost: 'Of 4 audio channels two were mixed.' }],
  [4, 'ambisonic 1', { channels: 2, mix: CARDIOIDS, lost: 'Of 4 ambisonic channels left and right were made.' }],
  [6, '5.1(side)', { channels: 2, lost: 'Of 6 audio channels two were mixed.' }],
  [8, '7.1(wide)', { channels: 2, lost: 'Of 8 audio channels two were mixed.' }],
  [8, '5.1.2', { channels: 2, lost: 'Of 8 audio channels two were mixed, without those above.' }],
  [4, '4 channels (FL+FR+TFL+TFR)', { channels: 2, lost: 'Of 4 audio channels two were mixed, without TFL and TFR.' }],
  [
    3,
    '3 channels (FL+BR+LFE)',
    {
      channels: 2,
      mix: 'channelmap=0|1:channel_layout=stereo',
      lost: 'Of 3 audio channels the first two were taken.',
    },
  ],
  [
    10,
    undefined,
    { channels: 2, mix: 'pan=stereo|c0=c0|c1=c1', lost: 'Of 10 audio channels the first two were taken.' },
  ],
])('%i channels, %s', (channels, layout, mix) => {
  expect(mixChannels(channels, layout)).toEqual(mix);
});
