import { join } from 'node:path';
import { bodies, body, viewOf } from '../../core/media/boxes.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { sampleCount } from '../../core/media/timeline.ts';
import { walkBoxes, withFile } from './box-walk.ts';
import type { RenditionFiles } from './rendition.ts';

/** Faults of the finished MP4: it must be whole, with its index in front and the renditions' tracks and frames. */
export async function mp4Faults(plan: EncodePlan, out: string, renditions: RenditionFiles[]): Promise<string[]> {
  const file = plan.mp4?.file ?? '';
  const layout = await topLevel(join(out, file));
  if (layout === null) return [`${file} is missing or cut off`];
  const { types } = layout;
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

async function topLevel(path: string): Promise<{ types: string[]; moov: Uint8Array } | null> {
  return withFile(path, async (bytes) => {
    const types: string[] = [];
    let moov: Uint8Array | undefined;
    let end = 0;
    for await (const box of walkBoxes(bytes)) {
      if (box.type === 'moov') moov = await box.body();
      types.push(box.type);
      end = box.offset + box.size;
    }
    return moov !== undefined && end === bytes.size ? { types, moov } : null;
  }).catch(() => null);
}
