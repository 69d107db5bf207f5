import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeClip, testVideo } from '../support/pipeline.ts';
import type { Medium } from './points.ts';

/** The smallest files that go all the way: a video, a sound, and one that only the worker finds to be broken. */
export async function makeMedia(folder: string): Promise<Record<Medium, { file: string; name: string }>> {
  const video = await testVideo(join(folder, 'video.mp4'), { seconds: 1, size: '64x64' });
  const sound = await makeClip(join(folder, 'sound.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=1');
  const broken = join(folder, 'broken.mp4');
  await writeFile(broken, await withoutMedia(video));
  return {
    video: { file: video, name: 'video.mp4' },
    sound: { file: sound, name: 'sound.mp3' },
    broken: { file: broken, name: 'broken.mp4' },
  };
}

/** The file with its index whole, and nothing but ones where pictures and sound were. */
async function withoutMedia(file: string): Promise<Buffer> {
  const bytes = await readFile(file);
  const start = bytes.indexOf('mdat') + 4;
  const size = bytes.readUInt32BE(start - 8);
  return bytes.fill(0xff, start, start - 8 + size);
}
