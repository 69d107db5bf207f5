/** Elements of EBML (RFC 8794), of which Matroska and WebM are made. */

/** A number whose first bits tell how many bytes it has; undefined where it is cut off, or all ones: unknown. */
export function elementSize(head: Buffer, at: number): { bytes: number; end: number } | undefined {
  const length = Math.clz32(head[at] ?? 0) - 23;
  if (length > 8 || at + length > head.length) return undefined;
  let value = BigInt(head[at] ?? 0) & ((1n << BigInt(8 - length)) - 1n);
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(head[at + i] ?? 0);
  return value === (1n << BigInt(7 * length)) - 1n ? undefined : { bytes: Number(value), end: at + length };
}

export interface Element {
  id: number;
  /** Where its data begins, and how many bytes that has. */
  start: number;
  bytes: number;
}

/** The element at a place; undefined where none begins, or its size is not known. */
export function elementAt(bytes: Buffer, at: number): Element | undefined {
  const length = Math.clz32(bytes[at] ?? 0) - 23;
  if (length > 4 || at + length > bytes.length) return undefined;
  const size = elementSize(bytes, at + length);
  return size && { id: bytes.readUIntBE(at, length), start: size.end, bytes: size.bytes };
}
