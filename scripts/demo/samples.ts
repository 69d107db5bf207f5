import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

const FFMPEG = process.env.FFMPEG_PATH ?? 'ffmpeg';

/** Makes a 12 s 720p video with audio and a 20 s audio file. Returns their paths. */
export async function makeSamples(folder: string, say: (line: string) => void): Promise<string[]> {
  say('making a sample video and a sample audio file with ffmpeg');
  await mkdir(folder, { recursive: true });
  const video = join(folder, 'sample-video.mp4');
  const sound = join(folder, 'sample-sound.wav');
  const quiet = ['-hide_banner', '-loglevel', 'error', '-y'];
  await execa(FFMPEG, [
    ...quiet,
    ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25:duration=12'],
    ...['-f', 'lavfi', '-i', "aevalsrc='0.3*sin(2*PI*(220+110*floor(t))*t)':duration=12"],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest', video],
  ]);
  await execa(FFMPEG, [
    ...quiet,
    ...['-f', 'lavfi', '-i', "aevalsrc='(0.1+0.7*abs(sin(t)))*sin(2*PI*330*t)':sample_rate=44100:duration=20"],
    ...['-c:a', 'pcm_s16le', sound],
  ]);
  return [video, sound];
}
