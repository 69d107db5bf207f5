import { expect, test } from 'vitest';
import { PRESETS, type Preset } from '../../../../core/contracts/presets.ts';
import { ladderFor } from '../../../../core/media/ladder.ts';

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
  ['one line short of 480p is 480p in its own size', rungs(853, 479), ['480p 852x478', '360p 640x360']],
  ['a source between two rungs keeps its size on top', rungs(768, 432), ['432p 768x432', '360p 640x360']],
  ['a source smaller than every rung keeps its size', rungs(426, 240), ['240p 426x240']],
  ['and loses an odd line rather than gain one', rungs(427, 241), ['240p 426x240']],
  [
    'cinema fills the width of a rung',
    rungs(1920, 800),
    ['1080p 1920x800', '720p 1280x534', '480p 854x356', '360p 640x266'],
  ],
  ['720 lines of cinema are not needed for 720p', rungs(1280, 536), ['720p 1280x536', '480p 854x358', '360p 640x268']],
  [
    '4:3 fills the height of a rung',
    rungs(1440, 1080),
    ['1080p 1440x1080', '720p 960x720', '480p 640x480', '360p 480x360'],
  ],
  [
    'above the top of the preset nothing is kept',
    rungs(2560, 1080),
    ['1080p 1920x810', '720p 1280x540', '480p 854x360', '360p 640x270'],
  ],
  ['a portrait between two rungs keeps its size', rungs(608, 1080), ['608p 608x1080', '480p 480x852', '360p 360x640']],
  [
    'a size of its own never takes the name of a rung',
    rungs(1440, 360),
    ['1440x360 1440x360', '720p 1280x320', '480p 854x214', '360p 640x160'],
  ],
  ['two pixels are the least', rungs(1, 1), ['2p 2x2']],
])('%s', (_, found, expected) => {
  expect(found).toEqual(expected);
});

test('a source smaller than every rung has the bit rates of the lowest', () => {
  expect(ladderFor({ width: 426, height: 240 }, standard)).toEqual([
    { name: '240p', width: 426, height: 240, maxBitrate: 500_000, audio: '64k', x264Preset: expect.any(String) },
  ]);
});

test('a source below a single large rung does not get all of its bit rate', () => {
  const large = { ...uhd, rungs: uhd.rungs.slice(0, 1) };
  expect(ladderFor({ width: 320, height: 240 }, large).map(({ maxBitrate }) => maxBitrate)).toEqual([500_000]);
  expect(ladderFor({ width: 1280, height: 720 }, large).map(({ maxBitrate }) => maxBitrate)).toEqual([1_777_778]);
  const lowest = { ...uhd, rungs: [{ name: '360p', shortSide: 360, maxBitrate: 80_000, audio: '64k' as const }] };
  expect(ladderFor({ width: 320, height: 240 }, lowest).map(({ maxBitrate }) => maxBitrate)).toEqual([80_000]);
});

test('a size of its own has the bit rate of the rung above by its pixels', () => {
  expect(ladderFor({ width: 768, height: 432 }, standard)[0]?.maxBitrate).toBe(810_000);
  expect(ladderFor({ width: 960, height: 540 }, standard)[0]?.maxBitrate).toBe(1_406_250);
});

test('a size of its own with more than 30 pictures a second has a bit rate by these too, up to that of the rung above', () => {
  const cap = (rate: number) => ladderFor({ width: 768, height: 432 }, standard, rate)[0]?.maxBitrate;
  expect([24, 30, 33, 60].map(cap)).toEqual([810_000, 810_000, 891_000, 1_000_000]);
});
