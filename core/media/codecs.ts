/** RFC 6381 names of codecs, as the CODECS attribute of HLS requires them. */

/** `avc1.4D4028` from an AVCDecoderConfigurationRecord (the body of avcC): profile, constraints, level. ISO/IEC 14496-15, annex E. */
export function avcCodec(avcC: Uint8Array): string {
  const hex = [...avcC.subarray(1, 4)].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return `avc1.${hex.join('')}`;
}

/**
 * `mp4a.40.2` from an ES_Descriptor (the body of esds after version and flags): the object type indication in hexadecimal and,
 * for MPEG-4 audio (40), the audio object type. ISO/IEC 14496-1, 7.2.6.
 */
export function mp4aCodec(esds: Uint8Array): string {
  let at = 0;
  const enter = (tag: number) => {
    if (esds[at] !== tag) throw new Error(`esds: descriptor ${tag} expected at ${at}`);
    at += 1;
    while ((esds[at] ?? 0) & 0x80) at += 1;
    at += 1;
  };
  enter(3);
  const flags = esds[at + 2] ?? 0;
  at += 3 + (flags & 0x80 ? 2 : 0) + (flags & 0x20 ? 2 : 0);
  enter(4);
  const objectType = esds[at] ?? 0;
  if (objectType !== 0x40) return `mp4a.${objectType.toString(16)}`;
  at += 13;
  enter(5);
  const first = (esds[at] ?? 0) >> 3;
  const audioType = first === 31 ? 32 + ((((esds[at] ?? 0) & 7) << 3) | ((esds[at + 1] ?? 0) >> 5)) : first;
  return `mp4a.40.${audioType}`;
}
