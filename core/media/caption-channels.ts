/** Which captions the pictures of a film carry, as EXT-X-MEDIA names them by INSTREAM-ID (RFC 8216, 4.3.4.1): `CC1`, `SERVICE1`. */

/** Bytes of the counts before the triplets of cc_data(), and of a triplet (ATSC A/53 part 4, 6.2.3.1). */
const [HEAD_BYTES, TRIPLET_BYTES] = [2, 3];
/** The most bytes of cc_data(): cc_count has five bits. */
export const MOST_CAPTION_BYTES = HEAD_BYTES + 31 * TRIPLET_BYTES;

/** cc_type (CTA-708): a pair of CEA-608 of either field, more of a packet of CEA-708, the beginning of one. */
const [FIELD_1, FIELD_2, MORE, BEGINNING] = [0, 1, 2, 3];
/**
 * The second byte of the commands of CEA-608 that begin captions: resume caption loading, roll-up of two to four rows, resume direct
 * captioning. Those of the text mode (0x2a, 0x2b) are no captions.
 */
const MODES = new Set([0x20, 0x25, 0x26, 0x27, 0x29]);
/** Bits of the first byte of a command: that it is one, in which field, and whether of the second channel of its field. */
const [COMMAND, SECOND] = [0x14, 0x08];
/** A service number of 7 says that it stands in the next byte. */
const EXTENDED = 7;
const MOST_SERVICES = 63;

/** Collects the channels of CEA-608 and the services of CEA-708, in whatever order the pictures come. */
export class CaptionChannels {
  readonly #channels = new Set<number>();
  readonly #services = new Set<number>();
  #hasText = false;

  /** @param data cc_data() of a picture, from the byte of its count on. More may follow it; one that is cut off is not read. */
  add(data: Uint8Array): void {
    const count = (data[0] ?? 0) & 31;
    const end = HEAD_BYTES + count * TRIPLET_BYTES;
    // process_cc_data_flag: the triplets are valid.
    if (!((data[0] ?? 0) & 0x40) || data.length < end) return;
    let packet: number[] = [];
    for (let at = HEAD_BYTES; at < end; at += TRIPLET_BYTES) {
      const [flags = 0, first = 0, second = 0] = data.subarray(at, at + TRIPLET_BYTES);
      const type = flags & 3;
      if (!(flags & 4)) continue;
      if (type === FIELD_1 || type === FIELD_2) this.#pair(type, first & 0x7f, second & 0x7f);
      if (type === BEGINNING) this.#packet(packet);
      if (type === BEGINNING) packet = [first, second];
      if (type === MORE && packet.length > 0) packet.push(first, second);
    }
    this.#packet(packet);
  }

  #pair(field: number, first: number, second: number): void {
    // In the second field encoders write either byte.
    const isCommand = (first & ~(SECOND | 1)) === COMMAND && (field === FIELD_2 || !(first & 1));
    if (isCommand && MODES.has(second)) this.#channels.add(field * 2 + (first & SECOND ? 2 : 1));
    if (field === FIELD_1 && first >= 0x20) this.#hasText = true;
  }

  /** The services that a packet of CEA-708 names, as far as it stands with one picture. Those of no bytes fill it up. */
  #packet(bytes: readonly number[]): void {
    for (let at = 1; at < bytes.length; ) {
      const header = bytes[at] ?? 0;
      const [number, size] = [header >> 5, header & 31];
      if (number === 0) return;
      const isExtended = number === EXTENDED && size > 0;
      const service = isExtended ? (bytes[at + 1] ?? 0) & 63 : number;
      if (size > 0 && service >= 1 && service <= MOST_SERVICES) this.#services.add(service);
      at += 1 + (isExtended ? 1 : 0) + size;
    }
  }

  /** Empty where there is nothing but what fills the time between captions. Text without a command is taken for CC1. */
  get names(): string[] {
    const channels =
      this.#channels.size === 0 && this.#services.size === 0 && this.#hasText ? [1] : [...this.#channels];
    const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);
    return [...sorted(channels).map((n) => `CC${n}`), ...sorted(this.#services).map((n) => `SERVICE${n}`)];
  }
}
