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

/** A WMA with one more object in its header: Content Encryption (Advanced Systems Format, 3.14). */
async function protectedWma(): Promise<string> {
  const bytes = await readFile(await make(directory.path, ...tone(0.2), '-c:a', 'wmav2', 'plain.wma'));
  const content = Buffer.alloc(16);
  const object = Buffer.concat([Buffer.from('fbb3112223bdd211b4b700a0c955fc6e', 'hex'), Buffer.alloc(8), content]);
  object.writeBigUInt64LE(BigInt(object.length), 16);
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(16) + BigInt(object.length), 16);
  bytes.writeUInt32LE(bytes.readUInt32LE(24) + 1, 24);
  return write('protected.wma', Buffer.concat([bytes.subarray(0, 30), object, bytes.subarray(30)]));
}

/** A transport stream whose packets of picture and sound say that they are scrambled, with the even key. */
async function scrambled(): Promise<string> {
  const bytes = await readFile(await film('clear.ts'));
  for (let at = 0; at < bytes.length; at += 188) {
    const id = bytes.readUInt16BE(at + 1) & 0x1fff;
    if (id < 0x100 || id > 0x101) continue;
    const control = bytes[at + 3] ?? 0;
    bytes[at + 3] = control | 0x80;
    const payload = at + 4 + ((control & 0x20) === 0 ? 0 : 1 + (bytes[at + 4] ?? 0));
    for (let i = payload; i < at + 188; i++) bytes[i] = (bytes[i] ?? 0) ^ 0xa5;
  }
  return write('scrambled.ts', bytes);
}

/** A Matroska file that says of its first track that it is encrypted with AES (RFC 9559, 5.1.4.1.31), without an identifier of the key. */
async function encryptedMatroska(): Promise<string> {
  const bytes = await readFile(await film('clear.mkv'));
  const encodings = Buffer.from(
    '6d8093' + '624090' + '50318100' + '50328101' + '50338101' + '503584' + '47e18105',
    'hex',
  );
  encodings[2] = 0x80 + encodings.length - 3;
  encodings[5] = 0x80 + encodings.length - 6;
  const [tracks, track] = [bytes.indexOf('1654ae6b', 0, 'hex'), bytes.indexOf('ae01000000000000', 0, 'hex')];
  const end = track + 9 + bytes.readUIntBE(track + 3, 6);
  bytes.writeUIntBE(bytes.readUIntBE(track + 3, 6) + encodings.length, track + 3, 6);
  bytes.writeUInt16BE(bytes.readUInt16BE(tracks + 4) + encodings.length, tracks + 4);
  return write('encrypted.mkv', Buffer.concat([bytes.subarray(0, end), encodings, bytes.subarray(end)]));
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
  [
    'a WAV of one sample',
    'corrupt',
    () => make(directory.path, '-f', 'lavfi', '-i', 'sine=r=48000:d=1', '-af', 'atrim=end_sample=1', 'speck.wav'),
  ],
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
  [
    'a GIF of one picture',
    'still_image',
    () => make(directory.path, ...picture('64x64'), '-frames:v', '1', 'still.gif'),
  ],
  ['a protected WMA', 'encrypted', protectedWma],
  ['a scrambled transport stream', 'encrypted', scrambled],
  ['an encrypted Matroska file', 'encrypted', encryptedMatroska],
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
