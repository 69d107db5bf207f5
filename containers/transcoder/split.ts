import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DropreelError } from '../../core/contracts/errors.ts';
import { type EncodePlan, streamed } from '../../core/media/encode-plan.ts';
import { readFragment, readInit } from '../../core/media/fragments.ts';
import { keyframePlaylist, keyframesName } from '../../core/media/keyframes.ts';
import { targetDuration, writeMediaPlaylist } from '../../core/media/media-playlist.ts';
import { type FragmentInFile, groupFragments, joinFragments, renditionName } from '../../core/media/segments.ts';
import type { PlacedRendition } from '../../core/media/sidx.ts';
import { segmentSeconds } from '../../core/media/timeline.ts';
import { walkBoxes, withFile } from './box-walk.ts';
import { copySegments, lastFrameOf, type RenditionFiles } from './rendition.ts';

/** The file that FFmpeg writes for a rendition, before it has an index: fMP4 with a fragment per keyframe, or segment of sound. */
export function wholeName(file: string): string {
  return `${file}.whole.mp4`;
}

/** Seconds by which a segment of sound may begin before its time: more than an AAC frame of any rate that is encoded. */
export const SOUND_EARLY_SECONDS = 0.1;

/**
 * Finds the segments of each streamed rendition, writes the file that is published, with an index of them, and its playlist, and removes
 * FFmpeg's file. FFmpeg's own HLS muxer is not used for pictures: it moves the first frame of a segment where the frame rate varies, and adds up
 * durations that are missing in FFmpeg 7.
 */
export async function splitRenditions(plan: EncodePlan, directory: string): Promise<void> {
  const renditions: RenditionFiles[] = [];
  for (const file of streamed(plan)) renditions.push(await splitRendition(plan, directory, file));
  await writePlaylists(plan, directory, renditions);
}

/** Writes the playlist of each rendition and, of a rung, that of its keyframes. Returns their names. */
export async function writePlaylists(
  plan: EncodePlan,
  directory: string,
  renditions: readonly RenditionFiles[],
): Promise<string[]> {
  const keyframes = renditions.flatMap((rendition) => {
    const lastFrame = lastFrameOf(plan, rendition.file);
    return lastFrame === undefined ? [] : [{ file: rendition.file, ...keyframePlaylist(rendition, lastFrame) }];
  });
  // Those of keyframes may have another (RFC 8216, section 6.2.4).
  const [target, between] = [targetDuration(renditions), targetDuration(keyframes)];
  const texts = new Map<string, string>();
  for (const list of keyframes) {
    texts.set(keyframesName(list.file), writeMediaPlaylist(list, between, { keyframesOnly: true }));
  }
  for (const rendition of renditions) texts.set(`${rendition.file}.m3u8`, writeMediaPlaylist(rendition, target));
  for (const [name, text] of texts) {
    const path = join(directory, name);
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  }
  return [...texts.keys()];
}

async function splitRendition(plan: EncodePlan, directory: string, file: string): Promise<RenditionFiles> {
  const whole = join(directory, wholeName(file));
  try {
    const found = await findSegments(whole, file, { lastFrame: lastFrameOf(plan, file), seconds: plan.segmentSeconds });
    const rendition = await copySegments(whole, join(directory, renditionName(file)), found);
    await rm(whole);
    return rendition;
  } catch (error) {
    // FFmpeg's output is not as expected, for example with an edit list of two entries; an error of the disk has a code.
    if (!(error instanceof Error) || 'code' in error) throw error;
    throw new DropreelError('verify_failed', `The rendition ${file} is not as it should be: ${error.message}`, {
      cause: error,
    });
  }
}

/** @param of seconds of a segment, and that the last picture stays; undefined for sound */
async function findSegments(
  whole: string,
  file: string,
  { lastFrame, seconds: every }: { lastFrame: number | undefined; seconds: number },
): Promise<PlacedRendition> {
  return withFile(whole, async (bytes) => {
    const found: FragmentInFile[] = [];
    let moov: { end: number } | undefined;
    for await (const box of walkBoxes(bytes)) {
      if (box.type === 'moov') moov = { end: box.offset + box.size };
      if (box.type === 'moof')
        found.push({ offset: box.offset, size: box.size, fragment: readFragment(await box.body()) });
      const last = found.at(-1);
      if (box.type === 'mdat' && last) last.size += box.size;
    }
    const end = moov?.end ?? 0;
    const header = readInit(await bytes.read(0, end));
    const early = lastFrame === undefined ? SOUND_EARLY_SECONDS : 0;
    const segments = groupFragments(header, found, every, early).map((group) => ({
      fragments: group,
      range: { offset: group[0]?.offset ?? 0, bytes: group.reduce((total, { size }) => total + size, 0) },
      fragment: joinFragments(group.map(({ fragment }) => fragment)),
    }));
    const seconds = segmentSeconds({ file, header, segments }, lastFrame);
    const timed = segments.map((segment, i) => ({ ...segment, durationSeconds: seconds[i] ?? 0 }));
    return { file, header, init: { offset: 0, bytes: end }, segments: timed };
  });
}
