import { createHash } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChunkRendition } from '../../../core/media/chunk-record.ts';
import { readInit, readSamples, type Sample } from '../../../core/media/fragments.ts';
import type { SegmentPlace } from '../../../core/media/piece.ts';
import { GOP_SECONDS } from '../../../core/media/plan.ts';
import { SHORT_SECONDS } from '../../../core/media/segments.ts';
import { withEditList, writeMoof } from '../../../core/media/write-moof.ts';
import { type Bytes, walkBoxes, withFile } from '../box-walk.ts';
import { wholeName } from '../split.ts';

/** Bytes that are copied at once. */
const PIECE = 1024 * 1024;

interface FragmentPlace {
  samples: Sample[];
  /** Of the samples' bytes, in FFmpeg's file. */
  at: number;
  bytes: number;
}

/**
 * Writes a chunk's rendition anew, as a part of the film's: its init segment, then its fragments with decode times that go on from chunk to
 * chunk (`writeMoof`). Null where it has no pictures.
 * @param delaySeconds By so much a picture may be decoded before it is shown: the edit list of the film's init segment skips it.
 * @param grid `segmentSeconds`, and when the last picture has been shown, in seconds of the film
 * @returns what the join has to know, and when each picture is shown, in seconds
 * @throws Error when FFmpeg's file is not as expected
 */
export async function rewriteRendition(
  directory: string,
  file: string,
  delaySeconds: number,
  grid: { segmentSeconds: number; end: number },
): Promise<{ rendition: ChunkRendition; shown: number[] } | null> {
  const path = join(directory, wholeName(file));
  const written = await withFile(path, async (bytes) => {
    const { init: bare, fragments } = await readFragments(bytes);
    const { timescale, codec } = readInit(bare);
    const delay = Math.round(delaySeconds * timescale);
    const init = withEditList(bare, delay);
    const shown = fragments.map(({ samples }) => samples.map((sample) => sample.shown).sort((a, b) => a - b));
    const first = shown[0]?.[0];
    if (first === undefined) return null;
    const out = await open(`${path}.part`, 'w');
    try {
      await out.writeFile(init);
      let [size, lastDurationAt, last] = [init.length, 0, 0];
      const places: Placed[] = [];
      for (const [i, { samples, at, bytes: length }] of fragments.entries()) {
        // Of the next chunk's first picture only the earliest time is known here: the join writes what it is.
        const next = shown[i + 1]?.[0] ?? Math.round(grid.end * timescale);
        const begins = shown[i]?.[0] ?? 0;
        const sequence = Math.floor(begins / timescale / GOP_SECONDS) + 1;
        const { moof, ...written } = writeMoof({ sequence, samples, delay, next });
        last = written.lastDecoded;
        lastDurationAt = size + written.lastDurationAt;
        await out.writeFile(Buffer.concat([moof, mdatHeader(length)]));
        for (let done = 0; done < length; done += PIECE) {
          await out.writeFile(await bytes.read(at + done, Math.min(PIECE, length - done)));
        }
        places.push({ at: begins / timescale, offset: size, bytes: moof.length + 8 + length });
        size += moof.length + 8 + length;
      }
      const digest = createHash('sha256').update(init).digest('hex');
      const segments = segmentsOf(places, grid);
      const rendition = {
        ...{ file, bytes: size, initBytes: init.length, init: digest, first, last, lastDurationAt },
        ...{ codec, segments },
      };
      return { rendition, shown: shown.flat().map((at) => at / timescale) };
    } finally {
      await out.close();
    }
  });
  if (written) await rename(`${path}.part`, path);
  return written;
}

/** Where a fragment is in a file, and when it begins to be shown, in seconds. */
type Placed = Omit<SegmentPlace, 'seconds'>;

/** As `groupFragments` has them in the whole film. */
function segmentsOf(fragments: readonly Placed[], grid: { segmentSeconds: number; end: number }): SegmentPlace[] {
  const { segmentSeconds, end } = grid;
  const groups: Placed[] = [];
  let last = -1;
  for (const { at, offset, bytes } of fragments) {
    const interval = Math.floor((at + 1e-6) / segmentSeconds);
    const group = groups.at(-1);
    if (interval > last || !group) groups.push({ at, offset, bytes });
    else group.bytes += bytes;
    last = Math.max(last, interval);
  }
  const [before, short] = groups.slice(-2);
  if (before && short && end - short.at < SHORT_SECONDS) {
    before.bytes += short.bytes;
    groups.pop();
  }
  return groups.map((group, i) => ({ ...group, seconds: (groups[i + 1]?.at ?? end) - group.at }));
}

async function readFragments(bytes: Bytes): Promise<{ init: Buffer; fragments: FragmentPlace[] }> {
  const fragments: FragmentPlace[] = [];
  let samples: Sample[] | undefined;
  let end = 0;
  for await (const { type, offset, size, body } of walkBoxes(bytes)) {
    if (type === 'moov') end = offset + size;
    if (type === 'moof') samples = readSamples(await body());
    if (type !== 'mdat' || samples === undefined) continue;
    const held = samples.reduce((total, sample) => total + sample.bytes, 0);
    // The header has 16 bytes where the size needs 64 bits.
    const header = size - held;
    if (header !== 8 && header !== 16) throw new Error(`a fragment of ${held} bytes has ${size} with its header`);
    fragments.push({ samples, at: offset + header, bytes: held });
    samples = undefined;
  }
  if (end === 0) throw new Error('it has no moov box');
  return { init: await bytes.read(0, end), fragments };
}

/** The header of an mdat with so many bytes. */
export function mdatHeader(length: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(length + 8);
  header.write('mdat', 4, 'latin1');
  return header;
}
