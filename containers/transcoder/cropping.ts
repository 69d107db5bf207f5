import { type Cropping, cleanAperture, sane } from '../../core/media/cropping.ts';
import type { FfprobeOutput, Stream } from '../../core/media/ffprobe.ts';
import { type Bytes, walkBoxes } from './box-walk.ts';
import { elementAt } from './ebml.ts';

/** A larger index is not looked into: that of a day has some 100 MB. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024;
/** Bytes of a Matroska file in which its tracks are looked for. */
const HEAD_BYTES = 1024 * 1024;
/** Matroska's elements (RFC 9559, 5.1.4.1). */
const [SEGMENT, TRACKS, ENTRY, VIDEO, DISPLAY_WIDTH] = [0x18538067, 0x1654ae6b, 0xae, 0xe0, 0x54b0];
const CROPS = { bottom: 0x54aa, top: 0x54bb, left: 0x54cc, right: 0x54dd } as const;

/**
 * Writes into the output of an ffprobe that does not say it, before 7.1, how containers crop their pictures. FFmpeg crops what its ffprobe
 * says; the rest is left to our filters.
 */
export async function addCropping(input: Bytes, { streams, format }: FfprobeOutput): Promise<void> {
  const pictures = streams.filter(({ codec_type }) => codec_type === 'video');
  if (pictures.some(({ side_data_list }) => side_data_list.some(({ crop_top }) => crop_top !== undefined))) return;
  const isMp4 = format.format_name.startsWith('mov,');
  if (!isMp4 && !format.format_name.startsWith('matroska')) return;
  const moov = isMp4 ? await moovOf(input) : undefined;
  const head = isMp4 ? undefined : await input.read(0, HEAD_BYTES);
  for (const stream of pictures) {
    const found = moov ? cleanAperture(moov, stream.index) : head && pixelCrop(head, stream);
    if (!found) continue;
    const { top, bottom, left, right } = found;
    const crop = { crop_top: top, crop_bottom: bottom, crop_left: left, crop_right: right };
    stream.side_data_list = [...stream.side_data_list, { ...NOTHING_ELSE, ...crop, byUs: true }];
  }
}

const NOTHING_ELSE = {
  side_data_type: 'Frame Cropping',
  type: undefined,
  rotation: undefined,
  dv_profile: undefined,
  dv_bl_signal_compatibility_id: undefined,
};

async function moovOf(input: Bytes): Promise<Uint8Array | undefined> {
  for await (const box of walkBoxes(input)) {
    if (box.type === 'moov') return box.size <= MAX_INDEX_BYTES ? box.body() : undefined;
  }
  return undefined;
}

/** PixelCrop of a track; FFmpeg's pixel aspect ratio, which is of the whole picture before 7.1, is made that of what is left. */
function pixelCrop(head: Buffer, stream: Stream): Cropping | undefined {
  const tracks = childOf(childOf(head, SEGMENT), TRACKS);
  const entry = tracks && [...children(tracks)].filter(({ id }) => id === ENTRY)[stream.index];
  const video = entry && childOf(entry.data, VIDEO);
  const { width = 0, height = 0, sample_aspect_ratio: aspect } = stream;
  if (!video) return undefined;
  const numbers = new Map([...children(video)].map(({ id, data }) => [id, numberOf(data)]));
  const side = (name: keyof typeof CROPS) => numbers.get(CROPS[name]) ?? 0;
  const found = sane(
    { top: side('top'), bottom: side('bottom'), left: side('left'), right: side('right') },
    { width, height },
  );
  const [, num, den] = /^(\d{1,9}):(\d{1,9})$/.exec(aspect ?? '') ?? [];
  if (found && numbers.has(DISPLAY_WIDTH) && Number(num) > 0 && Number(den) > 0) {
    const [wide, high] = [width - found.left - found.right, height - found.top - found.bottom];
    stream.sample_aspect_ratio = `${Number(num) * high * width}:${Number(den) * height * wide}`;
  }
  return found;
}

function* children(data: Buffer): Generator<{ id: number; data: Buffer }> {
  for (let at = 0; at < data.length; ) {
    const element = elementAt(data, at);
    if (!element) return;
    const end = element.start + element.bytes;
    yield { id: element.id, data: data.subarray(element.start, end) };
    at = end;
  }
}

function childOf(data: Buffer | undefined, wanted: number): Buffer | undefined {
  for (const { id, data: inner } of data ? children(data) : []) if (id === wanted) return inner;
  return undefined;
}

function numberOf(data: Buffer): number {
  return data.length > 0 && data.length <= 6 ? data.readUIntBE(0, data.length) : 0;
}
