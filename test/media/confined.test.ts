import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { transcode } from '../../containers/transcoder/transcode.ts';
import { make, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

// A song without an index: its packets are read, and it is decoded twice, for the renditions and for the waveform.
test('every program that opens an upload may open files only, of media only, with pictures of a limited size', async () => {
  await using directory = await temporaryDirectory();
  const file = await make(directory.path, ...tone(0.4), '-c:a', 'libmp3lame', 'song.mp3');
  const scratch = await openScratch(join(directory.path, 'job'));
  await copyFile(file, scratch.source);
  const record = join(directory.path, 'commands');
  const tools = { ...TOOLS, prefix: ['sh', '-c', `echo "$0" "$@" >> '${record}'; exec "$0" "$@"`] };
  const { signal } = new AbortController();
  await transcode({ tools, scratch, preset: presetNamed('standard'), signal, onProgress: () => undefined });

  const opening = (await readFile(record, 'utf8')).split('\n').filter((line) => /\/source\b/.test(line));
  expect(opening.map((line) => line.slice(0, line.indexOf(' ')))).toEqual([
    TOOLS.ffprobe,
    TOOLS.ffprobe,
    TOOLS.ffmpeg,
    TOOLS.ffmpeg,
  ]);
  const confined =
    /-protocol_whitelist file -format_whitelist mov\S+ -max_pixels 58982400 -analyzeduration 90000000 -probesize 67108864 .*\/source\b/;
  expect(opening.filter((line) => !confined.test(line))).toEqual([]);
});
