import { expect, it } from 'vitest';
import { MediaPatchRequest } from '../../../../core/contracts/http/media.ts';
import { UploadRequest } from '../../../../core/contracts/http/uploads.ts';
import { plainTitle, printable, printableLine, titleFrom } from '../../../../core/contracts/text.ts';

it.each([
  ['Holiday in 日本 🎬', 'Holiday in 日本 🎬'],
  ['a\u001b]0;PWNED\u0007b', 'a]0;PWNEDb'],
  ['line\r\none\u2028two\tthree', 'line one two three'],
  ['invoice\u202egpj.exe', 'invoicegpj.exe'],
  ['zero\u200bwidth\ufeff and soft\u00adhyphen', 'zerowidth and softhyphen'],
  ['private \ue000 use', 'private  use'],
  ['half \ud800 a pair', 'half  a pair'],
  ['family 👩\u200d👩\u200d👧 and می\u200cخواهم', 'family 👩\u200d👩\u200d👧 and می\u200cخواهم'],
  ['  \u0000 ', ''],
])('the title %j keeps its visible characters', (title, kept) => {
  expect(plainTitle(title)).toBe(kept);
});

it('a title without visible characters is refused, and others are cleaned', () => {
  const upload = { fileName: 'a.mp4', size: 1, contentType: 'video/mp4' };
  expect(UploadRequest.parse({ ...upload, title: 'x\u001b[2J\ny' }).title).toBe('x[2J y');
  expect(UploadRequest.safeParse({ ...upload, title: '\u001b\u0007' }).success).toBe(false);
  expect(MediaPatchRequest.parse({ title: '\u202eabc' }).title).toBe('abc');
});

it('control characters are shown escaped, and line feeds unchanged in text of several lines only', () => {
  expect(printableLine('a\u001b[31m\nb')).toBe('a�[31m�b');
  expect(printable('a\u001b[31m\nb')).toBe('a�[31m\nb');
});

it.each([
  ['my_summer_2026.final.mp4', 'my summer 2026.final'],
  ['.mp4', '.mp4'],
  ['invoice\u202egpj.mp4', 'invoicegpj'],
  ['\u0000', 'untitled'],
])('the file %j makes the title %s', (name, title) => {
  expect(titleFrom(name)).toBe(title);
});
