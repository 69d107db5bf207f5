import { expect, test } from 'vitest';
import { avcCodec, mp4aCodec } from '../../../../core/media/codecs.ts';

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

test('H.264 is named by profile, constraints and level', () => {
  expect(avcCodec(bytes('014d4028ffe1'))).toBe('avc1.4D4028');
  expect(avcCodec(bytes('0142c00bffe1'))).toBe('avc1.42C00B');
});

test('AAC is named by its object type, whichever way lengths are written', () => {
  const long = '03808080250001000480808017401500000000 01f4000001f400058080800511 8856e500068080800102';
  expect(mp4aCodec(bytes(long.replaceAll(' ', '')))).toBe('mp4a.40.2');
  expect(mp4aCodec(bytes('0319000000041140150000000001f4000001f40005022b11'))).toBe('mp4a.40.5');
  expect(mp4aCodec(bytes('031900000004116b150000000001f4000001f400'))).toBe('mp4a.6b');
});
