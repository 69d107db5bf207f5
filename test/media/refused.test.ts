import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H264_AAC, make, picture, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory.path, name);
  await writeFile(path, content);
  return path;
}

async function cut(path: string, part: number): Promise<string> {
  const bytes = await readFile(path);
  return write(`cut-${path.slice(path.lastIndexOf('/') + 1)}`, bytes.subarray(0, Math.floor(bytes.length * part)));
}

const film = (name: string, ...more: string[]) =>
  make(directory.path, ...picture('320x240'), ...tone(), ...H264_AAC, ...more, name);

/** A Matroska file whose header says that its pictures are 30000x30000. */
async function hugeByHeader(): Promise<string> {
  const path = await make(directory.path, ...picture('320x256', '1', 1), '-c:v', 'mjpeg', 'mjpeg.mkv');
  const bytes = await readFile(path);
  replaceOnce(bytes, Buffer.from([0xb0, 0x82, 0x01, 0x40]), Buffer.from([0xb0, 0x82, 0x75, 0x30]));
  replaceOnce(bytes, Buffer.from([0xba, 0x82, 0x01, 0x00]), Buffer.from([0xba, 0x82, 0x75, 0x30]));
  return write('huge-by-header.mkv', bytes);
}

/** One whose header is honest about nothing, and whose PNG frame unpacks to 30000x30000. */
async function hugeByFrame(): Promise<string> {
  const path = await make(directory.path, ...picture('320x256', '1', 1), '-c:v', 'png', 'png.mkv');
  const bytes = await readFile(path);
  const at = bytes.indexOf('IHDR');
  bytes.writeUInt32BE(30_000, at + 4);
  bytes.writeUInt32BE(30_000, at + 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 17)), at + 17);
  return write('huge-by-frame.mkv', bytes);
}

function replaceOnce(bytes: Buffer, from: Buffer, to: Buffer): void {
  const at = bytes.indexOf(from);
  if (at < 0) throw new Error(`${from.toString('hex')} is not in the file`);
  to.copy(bytes, at);
}

const REFUSED: [string, string, () => Promise<string>][] = [
  ['no bytes', 'empty_file', () => write('empty.mp4', '')],
  ['text named .mp4', 'not_media', () => write('text.mp4', 'Dear diary, today I renamed a letter.\n')],
  [
    'noise',
    'not_media',
    () =>
      write(
        'noise.mp4',
        Buffer.from('dropreel '.repeat(20_000)).map((b, i) => (b * i * 7919) >> 3),
      ),
  ],
  ['an MP4 without its index', 'corrupt', async () => cut(await film('late-index.mp4'), 0.7)],
  [
    'an MP4 whose media is cut off',
    'truncated',
    async () => cut(await film('early.mp4', '-movflags', '+faststart'), 0.6),
  ],
  ['a Matroska file that is cut off', 'truncated', async () => cut(await film('whole.mkv'), 0.4)],
  ['an AVI that is cut off', 'truncated', async () => cut(await film('whole.avi'), 0.5)],
  ['a WAV that is cut off', 'truncated', async () => cut(await make(directory.path, ...tone(), 'whole.wav'), 0.4)],
  [
    'an HLS playlist that names a server',
    'playlist_refused',
    () => write('list.mp4', '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n'),
  ],
  [
    'an HLS playlist that names a file of the machine',
    'playlist_refused',
    () => write('list.m3u8', '\ufeff#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n'),
  ],
  ['a concat script', 'playlist_refused', () => write('script.mp4', 'ffconcat version 1.0\nfile /etc/passwd\n')],
  [
    'a DASH manifest',
    'playlist_refused',
    () => write('a.mpd', '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>'),
  ],
  ['a header of 30000x30000', 'limit_pixels', hugeByHeader],
  ['a frame of 30000x30000', 'limit_pixels', hugeByFrame],
  ['a PNG', 'still_image', () => make(directory.path, ...picture('64x64'), '-frames:v', '1', 'picture.png')],
  ['a JPEG', 'still_image', () => make(directory.path, ...picture('64x64'), '-frames:v', '1', 'picture.jpg')],
  ['a TIFF', 'still_image', () => make(directory.path, ...picture('64x64'), '-frames:v', '1', 'picture.tiff')],
  ['subtitles', 'no_tracks', () => write('words.srt', '1\n00:00:00,000 --> 00:00:01,000\nHello\n')],
  [
    'an MP4 of subtitles only',
    'no_tracks',
    async () => {
      await write('words.srt', '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
      return make(directory.path, '-i', 'words.srt', '-c:s', 'mov_text', 'words.mp4');
    },
  ],
  [
    '65 tracks',
    'limit_tracks',
    () =>
      make(
        directory.path,
        ...tone(0.1),
        ...Array.from({ length: 65 }, () => ['-map', '0']).flat(),
        '-c:a',
        'pcm_s16le',
        'many.mkv',
      ),
  ],
  [
    '25 hours',
    'limit_duration',
    () => make(directory.path, '-f', 'lavfi', '-i', 'color=black:s=16x16:r=1/3600:d=90000', '-c:v', 'ffv1', 'long.mkv'),
  ],
];

test.each(REFUSED)('%s is refused: %s', async (_, code, source) => {
  await expect(transcodeFile(directory.path, await source())).rejects.toMatchObject({ name: 'DropreelError', code });
});
