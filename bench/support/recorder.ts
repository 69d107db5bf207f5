/**
 * Plays a recorder of cameras: `recorder.ts DIR CAMERAS SECONDS`. Each camera writes a picture of its 25 Mbit/s every 40 ms, and begins another file
 * each 2 s, when the one before is synced. Prints, as JSON, how many milliseconds after its end each segment was on the disk.
 */
import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const BITS_PER_SECOND = 25_000_000;
const PICTURE_MS = 40;
const SEGMENT_MS = 2000;

const [directory = '.', cameras = '1', seconds = '10'] = process.argv.slice(2);
const picture = randomBytes((BITS_PER_SECOND / 8) * (PICTURE_MS / 1000));
const began = performance.now();

async function record(camera: number): Promise<number[]> {
  const late: Promise<number>[] = [];
  for (let at = 0; at < Number(seconds) * 1000; at += SEGMENT_MS) {
    const file = join(directory, `camera-${camera}-${at}.ts`);
    const handle = await open(file, 'w');
    for (let shown = 0; shown < SEGMENT_MS; shown += PICTURE_MS) {
      await delay(Math.max(0, began + at + shown + PICTURE_MS - performance.now()));
      await handle.write(picture);
    }
    const synced = async () => {
      await handle.datasync();
      await handle.close();
      const ms = performance.now() - (began + at + SEGMENT_MS);
      await rm(file);
      return ms;
    };
    late.push(synced());
  }
  return Promise.all(late);
}

const all = await Promise.all(Array.from({ length: Number(cameras) }, (_, camera) => record(camera)));
console.log(JSON.stringify(all.flat()));
