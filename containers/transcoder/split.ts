import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DropreelError } from '../../core/contracts/errors.ts';
import { type EncodePlan, streamed } from '../../core/media/encode-plan.ts';
import { readFragment, readInit } from '../../core/media/fragments.ts';
import { targetDuration, writeMediaPlaylist } from '../../core/media/media-playlist.ts';
import { SEGMENT_SECONDS } from '../../core/media/plan.ts';
import { type FragmentInFile, groupFragments, initName, segmentName } from '../../core/media/segments.ts';
import { walkBoxes, withFile } from './box-walk.ts';
import { type RenditionFiles, readRendition } from './rendition.ts';

/** The file that FFmpeg writes for a rendition, before it is split: fMP4 with a fragment per keyframe. */
export function wholeName(file: string): string {
  return `${file}.whole.mp4`;
}

/** Seconds of a fragment of audio. A fragment of video begins with each keyframe. */
export const AUDIO_FRAGMENT_SECONDS = 1;

/**
 * Splits each streamed rendition into init segment, segments and playlist, and removes the whole file. FFmpeg's own HLS muxer is not
 * used: it moves the first frame of a segment where the frame rate varies, and adds up durations that are missing in FFmpeg 7.
 */
export async function splitRenditions(plan: EncodePlan, directory: string): Promise<void> {
  const names = streamed(plan);
  for (const file of names) await splitRendition(plan, directory, file);
  const renditions: RenditionFiles[] = [];
  for (const file of names) renditions.push(await readRendition(plan, directory, file));
  const target = targetDuration(renditions);
  // Written last, with the durations that the finished segments have.
  for (const rendition of renditions) {
    const path = join(directory, `${rendition.file}.m3u8`);
    await writeFile(`${path}.part`, writeMediaPlaylist(rendition, target));
    await rename(`${path}.part`, path);
  }
}

async function splitRendition(plan: EncodePlan, directory: string, file: string): Promise<void> {
  const whole = join(directory, wholeName(file));
  const isAudio = plan.audio?.renditions.some((rendition) => rendition.file === file);
  const early = isAudio ? AUDIO_FRAGMENT_SECONDS / 2 : 0;
  const { initBytes, groups } = await withFile(whole, async (handle) => {
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
    return { initBytes: end, groups: groupFragments(readInit(buffer), found, SEGMENT_SECONDS, early) };
  }).catch((error: unknown) => {
    // FFmpeg's output is not as expected, for example with an edit list of two entries; an error of the disk has a code.
    if (!(error instanceof Error) || 'code' in error) throw error;
    throw new DropreelError('verify_failed', `The rendition ${file} is not as it should be: ${error.message}`, {
      cause: error,
    });
  });
  await copyRange(whole, 0, initBytes, join(directory, initName(file)));
  const segments = [];
  for (const [i, group] of groups.entries()) {
    const uri = segmentName(file, i);
    const start = group[0]?.offset ?? 0;
    const bytes = group.reduce((total, { size }) => total + size, 0);
    await copyRange(whole, start, start + bytes, join(directory, uri));
    segments.push({ uri, durationSeconds: 0 });
  }
  const playlist = writeMediaPlaylist({ init: initName(file), segments }, SEGMENT_SECONDS);
  await writeFile(join(directory, `${file}.m3u8`), playlist);
  await rm(whole);
}

async function copyRange(from: string, start: number, end: number, to: string): Promise<void> {
  await pipeline(createReadStream(from, { start, end: end - 1 }), createWriteStream(to));
}
