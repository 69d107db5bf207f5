/** The waveform of an hour of MP3 compared with a plain decode of it, and the memory of this process while it is made. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileInput } from '../containers/transcoder/input/input.ts';
import { writeWaveform } from '../containers/transcoder/tasks/waveform.ts';
import { cpuSeconds } from '../containers/transcoder/usage.ts';
import { cpuOf } from './support/ffmpeg.ts';

const HOUR = 3600;
const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
try {
  const speech = `anoisesrc=d=${HOUR}:c=pink:r=44100,tremolo=f=3:d=0.9,aformat=channel_layouts=stereo`;
  await cpuOf(['-f', 'lavfi', '-i', speech, '-b:a', '128k', 'hour.mp3'], directory);
  const plain = await cpuOf(['-i', 'hour.mp3', '-f', 'null', '-'], directory);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const before = await cpuSeconds();
  const { seconds, length } = await writeWaveform(
    { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' },
    {
      input: await fileInput(join(directory, 'hour.mp3')),
      track: 0,
      channels: 2,
      sampleRate: 44_100,
      pixelsPerSecond: 20,
      jumpSeconds: 10,
      target: join(directory, 'waveform.json'),
      signal: new AbortController().signal,
    },
  );
  clearInterval(watch);
  const cpu = (await cpuSeconds()) - before;
  console.log(`plain decode: ${plain.cpu.toFixed(2)} s CPU`);
  console.log(`waveform: ${cpu.toFixed(2)} s CPU, ${length} pixels of ${seconds.toFixed(0)} s`);
  console.log(`ratio ${(cpu / plain.cpu).toFixed(2)}, memory at most ${Math.round(peak / 1e6)} MB`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
