import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { writeWaveform } from '../../containers/transcoder/tasks/waveform.ts';
import { make, SHARED_MEDIA, TOOLS, temporaryDirectory } from '../support/media.ts';

async function waveform(
  source: string,
  directory: string,
  options: { channels: number; sampleRate: number; pixelsPerSecond?: number },
) {
  const target = join(directory, 'waveform.json');
  const signal = new AbortController().signal;
  const input = await fileInput(source);
  await writeWaveform(TOOLS, { input, track: 0, pixelsPerSecond: 20, jumpSeconds: 10, target, signal, ...options });
  return JSON.parse(await readFile(target, 'utf8'));
}

test('a square wave has its own peaks, 20 pixels a second', async () => {
  await using directory = await temporaryDirectory();
  const square = "aevalsrc='if(lt(mod(t,0.01),0.005),0.5,-0.25)':d=0.12:s=8000";
  const source = await make(directory.path, '-f', 'lavfi', '-i', square, '-c:a', 'pcm_s16le', 'square.wav');
  expect(await waveform(source, directory.path, { channels: 1, sampleRate: 8000 })).toEqual({
    version: 2,
    channels: 1,
    sample_rate: 8000,
    samples_per_pixel: 400,
    bits: 8,
    length: 3,
    data: [-32, 64, -32, 64, -32, 64],
  });
});

// The expected values are those of audiowaveform's own test for this file, at its 64 samples per pixel.
test.skipIf(SHARED_MEDIA === null)('a recording has the same values as from audiowaveform', async () => {
  await using directory = await temporaryDirectory();
  const source = join(SHARED_MEDIA ?? '', 'speech-stereo.wav');
  const found = await waveform(source, directory.path, { channels: 2, sampleRate: 16_000, pixelsPerSecond: 250 });
  expect(found).toMatchObject({ sample_rate: 16_000, samples_per_pixel: 64, bits: 8, length: 1774 });
  expect(found.data).toHaveLength(3548);
  expect(found.data.slice(0, 24)).toEqual([
    -53, 64, -58, 38, -53, 24, 8, 54, -49, 17, -29, 27, -38, 43, 10, 50, -58, 13, -59, 17, 9, 38, -7, 31,
  ]);
});
