import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeAll, make, picture, temporaryDirectory } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

/** Matroska's element DefaultDuration, and the one that players skip (RFC 8794, section 11.3.2). */
const [DEFAULT_DURATION, VOID] = [Buffer.from([0x23, 0xe3, 0x83]), 0xec];

test('a recorder that writes milliseconds without a rate keeps its pictures, and has the rate that they come at', async () => {
  await using directory = await temporaryDirectory();
  const jitter = ['-vf', "settb=1/1000,setpts='N*1000/30+mod(N*7919,13)'", '-fps_mode', 'passthrough'];
  const vp8 = ['-enc_time_base:v', '1:1000', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'];
  const source = await make(directory.path, ...picture('160x120', '30', 2), ...jitter, ...vp8, 'recorder.webm');
  const bytes = await readFile(source);
  const at = bytes.indexOf(DEFAULT_DURATION);
  const size = (bytes[at + 3] ?? 0) & 0x7f;
  bytes.fill(0, at, at + 4 + size).writeUInt16BE((VOID << 8) | (0x80 + 2 + size), at);
  await writeFile(source, bytes);

  const { result, out } = await transcodeFile(directory.path, source);
  expect(result.source.frameRate).toBeCloseTo(30, 0);
  expect(await decodeAll(join(out, result.mp4 ?? ''))).toMatchObject([{ codec: 'h264', frames: 60 }]);
});
