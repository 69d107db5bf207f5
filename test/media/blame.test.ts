import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encode } from '../../containers/transcoder/encode.ts';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { probeSource } from '../../containers/transcoder/probe.ts';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { verify } from '../../containers/transcoder/verify.ts';
import { planEncode } from '../../core/media/plan.ts';
import { make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

// Reordered frames, AAC's priming, and a beginning that the edit list cuts off within a GOP: an index that means more than it lists.
const HONEST = ['-c:v', 'libx264', '-bf', '2', '-g', '100', '-pix_fmt', 'yuv420p', '-c:a', 'aac', 'whole.mp4'];

test('a rendition that loses a segment is blamed on no source whose index is true', async () => {
  await using directory = await temporaryDirectory();
  await make(directory.path, ...picture('64x64', '25', 8), ...tone(8), ...HONEST);
  const file = await make(directory.path, '-ss', '0.5', '-i', 'whole.mp4', '-c', 'copy', 'trimmed.mp4');
  const scratch = await openScratch(join(directory.path, 'job'));
  await copyFile(file, scratch.source);
  const input = await fileInput(scratch.source);
  const { signal } = new AbortController();
  const { probe, ends } = await probeSource(TOOLS, input, signal);
  const plan = planEncode(probe, presetNamed('standard'), ends);
  expect(plan.indexed).toBe(true);
  const { out, times } = scratch;
  const run = { input, out, times, signal };
  const { frames, fault, decoded } = await encode(TOOLS, plan, { ...run, onProgress: () => undefined });
  const verifying = { ...run, frames, decoded, fault, onRendition: () => undefined };
  await verify(TOOLS, plan, verifying);

  const playlist = join(scratch.out, `${plan.video?.rungs[0]?.name}.m3u8`);
  const text = await readFile(playlist, 'utf8');
  const lastSegment = text.lastIndexOf('#EXTINF');
  await writeFile(playlist, `${text.slice(0, lastSegment)}#EXT-X-ENDLIST\n`);
  await expect(verify(TOOLS, plan, verifying)).rejects.toMatchObject({ code: 'verify_failed' });
});
