import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DropreelError } from '../../core/jobs/errors.ts';
import { BOX_HEADER_BYTES, readBoxHeader } from '../../core/media/boxes.ts';
import { type Fragment, readFragment, readInit, type TrackHeader } from '../../core/media/fragments.ts';
import { readMediaPlaylist } from '../../core/media/media-playlist.ts';

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

/** Reads a rendition's playlist, init segment and the head of each segment. Throws verify_failed when they do not fit. */
export async function readRendition(directory: string, file: string): Promise<RenditionFiles> {
  try {
    const playlist = readMediaPlaylist(await readFile(join(directory, `${file}.m3u8`), 'utf8'));
    const init = await readFile(join(directory, playlist.init));
    const segments = [];
    for (const segment of playlist.segments) {
      const path = join(directory, segment.uri);
      segments.push({ ...segment, bytes: (await stat(path)).size, fragment: readFragment(await readMoof(path)) });
    }
    const bytes = segments.reduce((total, segment) => total + segment.bytes, init.length);
    return { file, header: readInit(init), init: playlist.init, segments, bytes };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DropreelError('verify_failed', `The rendition ${file} cannot be read: ${why}`, { cause: error });
  }
}

async function readMoof(path: string): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    for (let at = 0; at < size; ) {
      const head = await handle.read(Buffer.alloc(BOX_HEADER_BYTES), 0, BOX_HEADER_BYTES, at);
      const box = readBoxHeader(head.buffer.subarray(0, head.bytesRead), size - at);
      if (box === null || box.size < box.header) break;
      if (box.type === 'moof') {
        const length = box.size - box.header;
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at + box.header);
        return buffer.subarray(0, bytesRead);
      }
      at += box.size;
    }
    throw new Error('a segment without moof');
  } finally {
    await handle.close();
  }
}
