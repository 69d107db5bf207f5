import { bodies, viewOf } from './boxes.ts';

/** Sample entries with encrypted bytes: Common Encryption (ISO/IEC 23001-7, 7), and FairPlay's older ones. */
const ENTRIES = ['encv', 'enca', 'drms', 'drmi'];
/** Bytes of stsd before its entries. */
const STSD_HEAD = 8;

/** Whether a track of an MP4 or MOV is encrypted: by its sample entry, or by keys for its samples (`senc`). `moov` is the box's body. */
export function isEncrypted(moov: Uint8Array): boolean {
  const tables = bodies(moov, 'trak').flatMap((trak) => within(trak, 'mdia', 'minf', 'stbl'));
  return tables.some((table) => bodies(table, 'senc').length > 0 || entriesOf(table).length > 0);
}

function entriesOf(table: Uint8Array): Uint8Array[] {
  return bodies(table, 'stsd').flatMap((stsd) => ENTRIES.flatMap((type) => bodies(stsd.subarray(STSD_HEAD), type)));
}

function within(box: Uint8Array, ...path: string[]): Uint8Array[] {
  return path.reduce((found: Uint8Array[], type) => found.flatMap((at) => bodies(at, type)), [box]);
}

const ASF_HEADER = '3026b2758e66cf11a6d900aa0062ce6c';
/** Content Encryption, Extended and Advanced Content Encryption Object: Advanced Systems Format, 10.1. */
const ASF_ENCRYPTION = new Set([
  'fbb3112223bdd211b4b700a0c955fc6e',
  '14e68a292226174cb935dae07ee9289c',
  '338505438169e6499b74ad12cb86d58c',
]);
/** Bytes of an object's head, GUID and size; and of that of the header object, with the number of objects. */
const ASF_HEAD = { object: 24, header: 30 };

/** Whether the header of an ASF or WMA file says that its contents are encrypted. */
export function isEncryptedAsf(head: Uint8Array): boolean {
  if (guidAt(head, 0) !== ASF_HEADER) return false;
  for (let at = ASF_HEAD.header; at + ASF_HEAD.object <= head.length; ) {
    if (ASF_ENCRYPTION.has(guidAt(head, at))) return true;
    const size = Number(viewOf(head).getBigUint64(at + 16, true));
    if (size < ASF_HEAD.object) return false;
    at += size;
  }
  return false;
}

function guidAt(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const SYNC = 0x47;
/** Transport packets alone, with a time before each (Blu-ray), with a checksum after each. */
const PACKET_SIZES = [188, 192, 204];
/** Packets with tables are never scrambled; these identifiers are theirs (ETSI EN 300 468, 5.1.3), and that of padding. */
const TABLES = 0x1f;
/** Of the table that every stream has, each half a second at least (ETSI TR 101 290, 5.2.1). Pictures of grey 0x47 have none. */
const PROGRAMS = 0;
const PADDING = 0x1fff;

/** Fewer packets say nothing. */
const LEAST_PACKETS = 20;

/** Whether most of the packets of a transport stream are scrambled: transport_scrambling_control, ISO/IEC 13818-1, 2.4.3.2. */
export function isScrambled(stream: Uint8Array): boolean {
  const isWhole = (size: number) => [0, 1, 2, 3].every((n) => stream[firstSync(stream, size) + n * size] === SYNC);
  const size = PACKET_SIZES.find(isWhole);
  if (size === undefined) return false;
  let [scrambled, media, packets, programs] = [0, 0, 0, 0];
  for (let at = firstSync(stream, size); at + 4 <= stream.length; at += size) {
    packets += 1;
    const [sync, high = 0, low = 0, control = 0] = stream.subarray(at, at + 4);
    const id = ((high & 0x1f) << 8) | low;
    if (sync === SYNC && id === PROGRAMS) programs += 1;
    if (sync !== SYNC || id <= TABLES || id === PADDING) continue;
    media += 1;
    if ((control & 0xc0) !== 0) scrambled += 1;
  }
  return packets >= LEAST_PACKETS && programs > 0 && scrambled > media / 2;
}

function firstSync(stream: Uint8Array, size: number): number {
  return stream.subarray(0, size).findIndex((byte, at) => byte === SYNC && stream[at + size] === SYNC);
}
