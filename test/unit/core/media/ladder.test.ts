import { expect, test } from 'vitest';
import { ladderFor } from '../../../../core/media/ladder.ts';
import { PRESETS, type Preset } from '../../../../core/media/presets.ts';

const standard = PRESETS.standard as Preset;
const uhd = PRESETS.uhd as Preset;

const rungs = (width: number, height: number, preset = standard) =>
  ladderFor({ width, height }, preset).map((rung) => `${rung.name} ${rung.width}x${rung.height}`);

test.each<[string, string[], string[]]>([
  [
    'a 1080p source gets every rung',
    rungs(1920, 1080),
    ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360'],
  ],
  [
    'portrait counts by its width',
    rungs(1080, 1920),
    ['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640'],
  ],
  [
    '4K stops at the top of the preset',
    rungs(3840, 2160),
    ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360'],
  ],
  [
    '4K keeps its size where the preset asks for it',
    rungs(3840, 2160, uhd),
    ['2160p 3840x2160', '1440p 2560x1440', '1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360'],
  ],
  ['nothing is scaled up: one line short of 480 gets 360p', rungs(853, 479), ['360p 642x360']],
  ['a source smaller than every rung keeps its size', rungs(426, 240), ['240p 426x240']],
  ['and loses an odd line rather than gain one', rungs(427, 241), ['240p 426x240']],
  ['cinema is cut by its height', rungs(1920, 800), ['720p 1728x720', '480p 1152x480', '360p 864x360']],
  ['two pixels are the least', rungs(1, 1), ['2p 2x2']],
])('%s', (_, found, expected) => {
  expect(found).toEqual(expected);
});

test('a source smaller than every rung has the bit rates of the lowest', () => {
  expect(ladderFor({ width: 426, height: 240 }, standard)).toEqual([
    { name: '240p', width: 426, height: 240, maxBitrate: 500_000, audio: '64k', x264Preset: expect.any(String) },
  ]);
});
