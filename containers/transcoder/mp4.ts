import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BOX_HEADER_BYTES, bodies, body, readBoxHeader, viewOf } from '../../core/media/boxes.ts';
import type { EncodePlan } from '../../core/media/plan.ts';
import { sampleCount } from '../../core/media/verify.ts';
import type { RenditionFiles } from './rendition.ts';

/** Faults of the finished MP4: whole, its index in front, the tracks and frames that the renditions have. */
export async function mp4Faults(plan: EncodePlan, out: string, renditions: RenditionFiles[]): Promise<string[]> {
  const file = plan.mp4?.file ?? '';
  const layout = await topLevel(join(out, file));
  if (layout === null) return [`${file} is missing or cut off`];
  const types = layout.boxes.map((box) => box.type);
  const faults: string[] = [];
  if (types.indexOf('moov') > types.indexOf('mdat')) faults.push(`${file}: its index is not in front`);
  const tracks = bodies(layout.moov, 'trak').map(countSamples);
  const wanted = plan.mp4?.audio ? 2 : 1;
  if (tracks.length !== wanted) faults.push(`${file} has ${tracks.length} tracks of ${wanted}`);
  const [rung] = renditions;
  if (plan.video && rung && tracks[0] !== sampleCount(rung)) {
    faults.push(`${file} holds ${tracks[0]} frames, ${rung.file} ${sampleCount(rung)}`);
  }
  return faults;
}

function countSamples(trak: Uint8Array): number {
  return viewOf(body(trak, 'mdia', 'minf', 'stbl', 'stsz')).getUint32(8);
}

async function topLevel(path: string): Promise<{ boxes: { type: string }[]; moov: Uint8Array } | null> {
  const handle = await open(path).catch(() => null);
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const boxes: { type: string }[] = [];
    let moov: Uint8Array = new Uint8Array();
    for (let at = 0; at < size; ) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(BOX_HEADER_BYTES), 0, BOX_HEADER_BYTES, at);
      const box = readBoxHeader(buffer.subarray(0, bytesRead), size - at);
      if (box === null || box.size < box.header || at + box.size > size) return null;
      if (box.type === 'moov') {
        const length = box.size - box.header;
        moov = (await handle.read(Buffer.alloc(length), 0, length, at + box.header)).buffer;
      }
      boxes.push({ type: box.type });
      at += box.size;
    }
    return moov.length > 0 ? { boxes, moov } : null;
  } finally {
    await handle.close();
  }
}
