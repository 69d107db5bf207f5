import { DropreelError } from '../../core/contracts/errors.ts';
import { type Warning, warning } from '../../core/contracts/warnings.ts';
import { fitsItself } from './asf.ts';
import { type Bytes, walkBoxes } from './box-walk.ts';
import { elementSize } from './ebml.ts';

/**
 * Looks for the end of a file that was cut off: FFmpeg would encode what is there without an error.
 * @param format FFmpeg's name of the demuxer
 * @returns what is known of a missing end that does not make the rest useless
 * @throws DropreelError `corrupt` for a file of empty boxes, `truncated` when the file's own structure reaches beyond its end
 */
export async function checkWhole(file: Bytes, format: string): Promise<Warning[]> {
  if (format === 'ogg' && !(await endsOgg(file))) {
    return [warning('end_missing', 'The file ends without the mark of its end: its last part may be missing.')];
  }
  if (format === 'mpegts' && (await endsInPacket(file))) {
    return [warning('end_missing', 'The file ends in the middle of a packet: its last part may be missing.')];
  }
  if (/^asf/.test(format) && (await fitsItself(file)).isShifted) {
    return [
      warning('source_damaged', 'The index is not where the file says: parts of it are missing, or are there twice.'),
    ];
  }
  const check = CHECKS.find(([formats]) => formats.test(format))?.[1];
  const { missing, isIndexed = false } = (await check?.(file)) ?? { missing: 0 };
  if (missing <= 0) return [];
  const what = `${missing} bytes of its media are missing.`;
  const isLittle = !isIndexed && missing <= file.size / 100;
  if (!isLittle) throw new DropreelError('truncated', `The file is cut off: ${what}`);
  return [warning('end_missing', `The end of the file is cut off: ${what}`)];
}

/**
 * How many bytes are missing, by the file's own account; 0 or less: none. `isIndexed`: an index is lost, or names what is missing; else all
 * that is there plays.
 */
type Check = (file: Bytes) => Promise<{ missing: number; isIndexed?: boolean }>;
const CHECKS: readonly (readonly [RegExp, Check])[] = [
  [/^mov,/, missingOfBoxes],
  [/^(?:avi|wav)$/, missingOfRiff],
  [/^matroska/, missingOfMatroska],
  [/^mp3$/, missingOfMp3],
  [/^caf$/, missingOfCaf],
  [/^w64$/, missingOfW64],
  [/^asf/, fitsItself],
];
/** A day in fragments of a second, each with its own index, has some 350,000. */
const MAX_BOXES = 1_000_000;
/** Writers count the head of a box or chunk, eight bytes, twice or not at all. A cut of so few bytes shows when they are decoded. */
const OFF_BY = 8;
const MEDIA_BOXES = new Set(['mdat', 'moov', 'moof']);

async function missingOfBoxes(file: Bytes): ReturnType<Check> {
  let boxes = 0;
  let inFragments = false;
  // Junk after the last box is common and harmless.
  for await (const box of walkBoxes(file)) {
    if (++boxes > MAX_BOXES) throw new DropreelError('corrupt', `The file has more than ${MAX_BOXES} boxes.`);
    const missing = box.offset + box.size - file.size;
    if (missing > OFF_BY) return { missing: MEDIA_BOXES.has(box.type) ? missing : 0, isIndexed: !inFragments };
    if (box.type === 'moof') inFragments = true;
  }
  return { missing: 0 };
}

/** A recorder that cannot seek back to the header leaves a size near the largest there. */
const UNKNOWN_SIZE = 0x7ff00000;

async function missingOfRiff(file: Bytes): ReturnType<Check> {
  const riff = await sizeOfRiff(file);
  const missing = riff + 8 - file.size;
  return { missing: riff >= UNKNOWN_SIZE || missing <= OFF_BY ? 0 : missing };
}

/** Of another file than RIFF too, where it means nothing: FFmpeg reads what comes behind an ID3 tag. */
async function sizeOfRiff(file: Bytes): Promise<number> {
  const head = await file.read(0, 8);
  return head.toString('latin1', 0, 4) === 'RIFF' && head.length === 8 ? head.readUInt32LE(4) : 0;
}

/** Bytes of a CAF's own head, and of that of a chunk: its type and a 64-bit length (Core Audio Format Specification 1.0). */
const [CAF_HEAD, CAF_CHUNK] = [8, 12];
/** CAF files have some ten chunks. */
const MAX_CHUNKS = 1000;

async function missingOfCaf(file: Bytes): ReturnType<Check> {
  let at = CAF_HEAD;
  for (let chunks = 0; chunks < MAX_CHUNKS && at + CAF_CHUNK <= file.size; chunks++) {
    const length = Number((await file.read(at, CAF_CHUNK)).readBigInt64BE(4));
    // -1: the sound goes on to the end of the file.
    if (length < 0) return { missing: 0 };
    at += CAF_CHUNK + length;
  }
  return { missing: at - file.size };
}

/** Bytes of a GUID, behind which stands the length of the whole file in a Wave64 (Sony Pictures Digital, Wave64). */
const GUID_BYTES = 16;

async function missingOfW64(file: Bytes): ReturnType<Check> {
  const head = await file.read(0, GUID_BYTES + 8);
  const length = head.length < GUID_BYTES + 8 ? 0n : head.readBigInt64LE(GUID_BYTES);
  return { missing: Number(length) - file.size };
}

const SEGMENT = 0x18538067;
/** Bytes in which a file's head is looked for. */
const HEAD_BYTES = 4096;

/** The head of EBML, then one segment that holds all else (RFC 9559, 4.5), of a length that may be unknown (RFC 8794, 6.2). */
async function missingOfMatroska(file: Bytes): ReturnType<Check> {
  const head = await file.read(0, HEAD_BYTES);
  const ebml = elementSize(head, 4);
  if (ebml === undefined || ebml.end + ebml.bytes + 4 > head.length) return { missing: 0 };
  const at = ebml.end + ebml.bytes;
  const segment = head.readUInt32BE(at) === SEGMENT ? elementSize(head, at + 4) : undefined;
  return { missing: segment === undefined ? 0 : segment.end + segment.bytes - file.size };
}

/** Bit of the field for the number of bytes in a Xing header, and of that before it. */
const [XING_FRAMES, XING_BYTES] = [1, 2];

/** Encoders write an empty frame first, which says how many bytes follow it: `Xing`, or `Info` for a constant bit rate. */
async function missingOfMp3(file: Bytes): ReturnType<Check> {
  const tag = await file.read(0, 10);
  const isTag = tag.toString('latin1', 0, 3) === 'ID3';
  // Seven bits of each byte (ID3v2.4, 6.2).
  const start = isTag ? 10 + [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((tag[at] ?? 0) & 127), 0) : 0;
  const head = await file.read(start, HEAD_BYTES);
  const at = Math.max(head.indexOf('Xing'), head.indexOf('Info'));
  // Of the first frame, 4 bytes of header and up to 32 of side information come before it.
  if (at < 0 || at > 64 || at + 16 > head.length) return { missing: 0 };
  const flags = head.readUInt32BE(at + 4);
  if (!(flags & XING_BYTES)) return { missing: 0 };
  return { missing: start + head.readUInt32BE(at + (flags & XING_FRAMES ? 12 : 8)) - file.size };
}

/** The largest page has 65,307 bytes (RFC 3533, 6). */
const PAGE_BYTES = 65_307;
/** header_type_flag: last page of a logical bitstream. */
const LAST_PAGE = 4;

/** Whether the last page of a file says that it is the last. */
async function endsOgg(file: Bytes): Promise<boolean> {
  const tail = await file.read(Math.max(0, file.size - PAGE_BYTES), PAGE_BYTES);
  const flags = tail[tail.lastIndexOf('OggS') + 5] ?? 0;
  return (flags & LAST_PAGE) !== 0;
}

/** Bytes of a packet of a transport stream (ISO/IEC 13818-1, 2.4.3.2), which begins with 0x47. */
const PACKET_BYTES = 188;

async function endsInPacket(file: Bytes): Promise<boolean> {
  const head = await file.read(0, 2 * PACKET_BYTES + 1);
  const isPlain = [0, 1, 2].every((packet) => head[packet * PACKET_BYTES] === 0x47);
  return isPlain && file.size % PACKET_BYTES !== 0;
}

/** Whether an AVI was written by a recorder that could not go back to its head, whose length means nothing then. */
export async function isUnfinished(file: Bytes, format: string): Promise<boolean> {
  return format === 'avi' && (await sizeOfRiff(file)) >= UNKNOWN_SIZE;
}
