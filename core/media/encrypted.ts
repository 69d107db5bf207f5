import { bodies } from './boxes.ts';

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
