import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { type Fragment, readFragment, readInit, shownAt, type TrackHeader } from '../../core/media/fragments.ts';
import { readMediaPlaylist } from '../../core/media/media-playlist.ts';
import { joinFragments } from '../../core/media/segments.ts';
import { segmentSeconds } from '../../core/media/timeline.ts';
import { walkBoxes, withFile } from './box-walk.ts';

/** A finished rendition on the disk. */
export interface RenditionFiles {
  /** `1080p`, `audio-128k` */
  file: string;
  header: TrackHeader;
  init: string;
  segments: { uri: string; bytes: number; durationSeconds: number; fragment: Fragment }[];
  /** Total of the init segment and the segments. */
  bytes: number;
}

/**
 * Reads a rendition's playlist, init segment and the head of each segment. Durations are those of the samples, not the playlist's.
 * @throws DropreelError `verify_failed` when a file is missing or is not as it should be
 */
export async function readRendition(plan: EncodePlan, directory: string, file: string): Promise<RenditionFiles> {
  try {
    const playlist = readMediaPlaylist(await readFile(join(directory, `${file}.m3u8`), 'utf8'));
    const init = await readFile(join(directory, playlist.init));
    const segments = [];
    for (const segment of playlist.segments) {
      const path = join(directory, segment.uri);
      segments.push({ uri: segment.uri, bytes: (await stat(path)).size, fragment: await readSegment(path) });
    }
    const header = readInit(init);
    const isVideo = plan.video?.rungs.some((rung) => rung.name === file);
    const seconds = segmentSeconds({ file, header, segments }, isVideo ? plan.video?.lastFrameSeconds : undefined);
    const timed = segments.map((segment, i) => ({ ...segment, durationSeconds: seconds[i] ?? 0 }));
    const bytes = segments.reduce((total, segment) => total + segment.bytes, init.length);
    return { file, header, init: playlist.init, segments: timed, bytes };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DropreelError('verify_failed', `The rendition ${file} cannot be read: ${why}`, { cause: error });
  }
}

/** A segment may hold several fragments. */
async function readSegment(path: string): Promise<Fragment> {
  return joinFragments((await readMoofs(path)).map(readFragment));
}

/** When each of a rendition's samples is presented, in seconds from its start, in order. Segments begin with keyframes. */
export async function shownTimes(directory: string, { header, segments }: RenditionFiles): Promise<number[]> {
  const times: number[] = [];
  for (const { uri } of segments) {
    const ticks = (await readMoofs(join(directory, uri))).flatMap(shownAt).sort((a, b) => a - b);
    for (const at of ticks) times.push((at - header.skip) / header.timescale);
  }
  return times;
}

/** The bodies of a segment's moofs. */
async function readMoofs(path: string): Promise<Uint8Array[]> {
  return withFile(path, async (handle) => {
    const moofs: Uint8Array[] = [];
    for await (const box of walkBoxes(handle)) if (box.type === 'moof') moofs.push(await box.body());
    return moofs;
  });
}
