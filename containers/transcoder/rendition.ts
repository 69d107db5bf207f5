import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DropreelError } from '../../core/jobs/errors.ts';
import { type Fragment, readFragment, readInit, type TrackHeader } from '../../core/media/fragments.ts';
import { readMediaPlaylist } from '../../core/media/media-playlist.ts';
import type { EncodePlan } from '../../core/media/plan.ts';
import { joinFragments } from '../../core/media/segments.ts';
import { segmentSeconds } from '../../core/media/timeline.ts';
import { walkBoxes, withFile } from './box-walk.ts';

/** A finished rendition as it lies on the disk. */
export interface RenditionFiles {
  /** `1080p`, `audio-128k` */
  file: string;
  header: TrackHeader;
  init: string;
  segments: { uri: string; bytes: number; durationSeconds: number; fragment: Fragment }[];
  /** Of init and segments. */
  bytes: number;
}

/**
 * Reads a rendition's playlist, init segment and the head of each segment. Durations are those of the samples, not the
 * playlist's. Throws verify_failed when a file is missing or is not what it should be.
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
  return withFile(path, async (handle) => {
    const fragments: Fragment[] = [];
    for await (const box of walkBoxes(handle)) if (box.type === 'moof') fragments.push(readFragment(await box.body()));
    return joinFragments(fragments);
  });
}
