import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readFragment, readInit } from '../../core/media/fragments.ts';
import { writeMediaPlaylist } from '../../core/media/media-playlist.ts';
import { type EncodePlan, SEGMENT_SECONDS } from '../../core/media/plan.ts';
import { type FragmentInFile, groupFragments, initName, segmentName } from '../../core/media/segments.ts';
import { walkBoxes, withFile } from './box-walk.ts';
import { readRendition } from './rendition.ts';

/** The file that FFmpeg writes for a rendition, before it is split: fMP4 with a fragment per keyframe. */
export function wholeName(file: string): string {
  return `${file}.whole.mp4`;
}

/**
 * Splits a rendition into init segment, segments and playlist, and removes the whole. FFmpeg's own HLS muxer is not used: it
 * moves the first frame of a segment where the frame rate varies, and adds up durations that are not there in FFmpeg 7.
 */
export async function splitRendition(plan: EncodePlan, directory: string, file: string): Promise<void> {
  const whole = join(directory, wholeName(file));
  const { initBytes, init, fragments } = await withFile(whole, async (handle) => {
    const found: FragmentInFile[] = [];
    let moov: { end: number } | undefined;
    for await (const box of walkBoxes(handle)) {
      if (box.type === 'moov') moov = { end: box.offset + box.size };
      if (box.type === 'moof')
        found.push({ offset: box.offset, size: box.size, fragment: readFragment(await box.body()) });
      const last = found.at(-1);
      if (box.type === 'mdat' && last) last.size += box.size;
    }
    const end = moov?.end ?? 0;
    const { buffer } = await handle.read(Buffer.alloc(end), 0, end, 0);
    return { initBytes: end, init: buffer, fragments: found };
  });
  const groups = groupFragments(readInit(init), fragments, SEGMENT_SECONDS);
  await copyRange(whole, 0, initBytes, join(directory, initName(file)));
  const segments = [];
  for (const [i, group] of groups.entries()) {
    const uri = segmentName(file, i);
    const start = group[0]?.offset ?? 0;
    const bytes = group.reduce((total, { size }) => total + size, 0);
    await copyRange(whole, start, start + bytes, join(directory, uri));
    segments.push({ uri, durationSeconds: 0 });
  }
  const path = join(directory, `${file}.m3u8`);
  await writeFile(path, writeMediaPlaylist({ init: initName(file), segments }));
  // Now that its segments can be read, with the durations that they have.
  await writeFile(`${path}.part`, writeMediaPlaylist(await readRendition(plan, directory, file)));
  await rename(`${path}.part`, path);
  await rm(whole);
}

async function copyRange(from: string, start: number, end: number, to: string): Promise<void> {
  await pipeline(createReadStream(from, { start, end: end - 1 }), createWriteStream(to));
}
