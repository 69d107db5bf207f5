import { describe, expect, it } from 'vitest';
import { isAllowedType, missingParts, partSizeOf, planParts, safeFileName } from '../../../../core/api/upload-plan.ts';

const MIB = 1024 * 1024;

describe('planParts', () => {
  it('is one PUT up to 64 MiB', () => {
    expect(planParts(64 * MIB)).toBeNull();
    expect(planParts(64 * MIB + 1)).toEqual({ partSize: 16 * MIB, partCount: 5 });
  });

  it('never has more than 10,000 parts', () => {
    expect(planParts(5 * 1024 ** 4)).toEqual({ partSize: 525 * MIB, partCount: 9987 });
  });

  it('has parts that add up, with the rest as the last', () => {
    const size = 64 * MIB + 1;
    const plan = { partSize: 16 * MIB, partCount: 5 };
    expect([1, 2, 3, 4, 5].map((n) => partSizeOf(n, size, plan))).toEqual([16 * MIB, 16 * MIB, 16 * MIB, 16 * MIB, 1]);
  });
});

it('missing parts are named up to a limit', () => {
  expect(missingParts(5, [2, 4], 10)).toEqual([1, 3, 5]);
  expect(missingParts(5, [2, 4], 2)).toEqual([1, 3]);
  expect(missingParts(2, [2, 1, 1], 10)).toEqual([]);
});

it('content types match wildcards', () => {
  expect(isAllowedType('video/mp4', 'video/*, audio/mpeg')).toBe(true);
  expect(isAllowedType('Audio/MPEG', 'video/*, audio/mpeg')).toBe(true);
  expect(isAllowedType('audio/wav', 'video/*, audio/mpeg')).toBe(false);
  expect(isAllowedType('videos/mp4', 'video/*')).toBe(false);
});

describe('safeFileName', () => {
  it.each([
    ['clip.mp4', 'clip.mp4'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\Urlaub 2026.MOV', 'Urlaub 2026.MOV'],
    ['a\u0000b\nc\u202e.mp4', 'abc.mp4'],
    ['...', 'upload'],
    ['/', 'upload'],
    ['日本語 ✓.mkv', '日本語 ✓.mkv'],
    ['\ud800x.mp4', 'x.mp4'],
  ])('makes %j to %j', (given, safe) => {
    expect(safeFileName(given)).toBe(safe);
  });

  it('cuts at 200 bytes between characters, and keeps the extension', () => {
    const name = safeFileName(`${'é'.repeat(250)}.webm`);
    expect(new TextEncoder().encode(name).length).toBe(199);
    expect(name.endsWith('é.webm')).toBe(true);
  });
});
