import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasCaptions } from '../../../../containers/transcoder/captions.ts';
import { temporaryDirectory } from '../../../support/media.ts';

const MIB = 1024 * 1024;

/** A file of zeroes with some bytes, in hexadecimal, at one place. */
async function found(codec: string, hex: string, at = 1000): Promise<boolean> {
  await using directory = await temporaryDirectory();
  const bytes = Buffer.alloc(2 * MIB);
  Buffer.from(hex, 'hex').copy(bytes, at);
  const file = join(directory.path, 'file');
  await writeFile(file, bytes);
  return await hasCaptions(file, codec);
}

test.each([
  ['h264', 'ATSC A/53 in a message', 'b50031 47413934 03'],
  ['hevc', 'ATSC A/53 in a message', 'b50031 47413934 03'],
  ['av1', 'ATSC A/53 in metadata', 'b50031 47413934 03'],
  ['mpeg2video', 'ATSC A/53 in user data', '000001b2 47413934 03'],
  ['mpeg2video', 'those of a DVD', '000001b2 434301f8'],
  ['mpeg2video', 'SCTE 20', '000001b2 0381'],
])('captions are found in %s: %s', async (codec, _, hex) => {
  expect(await found(codec, hex.replaceAll(' ', ''))).toBe(true);
});

test.each([
  ['h264', 'A/53 of another provider', 'b50032 47413934 03'],
  ['h264', 'bar data of A/53', 'b50031 47413934 06'],
  ['h264', 'the letters alone', '47413934 03'],
  ['mpeg2video', 'user data of another type', '000001b2 0382'],
  ['vp9', 'a codec of which FFmpeg carries none', 'b50031 47413934 03'],
])('no captions are found in %s: %s', async (codec, _, hex) => {
  expect(await found(codec, hex.replaceAll(' ', ''))).toBe(false);
});

test.each([
  -12, -7, -3, -1, 0, 1,
])('captions are found %d bytes beside the end of what is read at once', async (beside) => {
  expect(await found('h264', 'b500314741393403', MIB + beside)).toBe(true);
  expect(await found('mpeg2video', '000001b20381', MIB + beside)).toBe(true);
});
