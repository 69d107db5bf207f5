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
  const { objectType, config } = decoderConfig(esds);
  if (objectType !== 0x40) return `mp4a.${objectType.toString(16)}`;
  return `mp4a.40.${audioObjectType(config)}`;
}

/** Channels of MPEG-4 audio by the channel configuration of its AudioSpecificConfig; undefined where that is not said there. */
export function mp4aChannels(esds: Uint8Array): number | undefined {
  const { objectType, config } = decoderConfig(esds);
  if (objectType !== 0x40 || audioObjectType(config) > 31) return undefined;
  const bits = (((config[0] ?? 0) << 16) | ((config[1] ?? 0) << 8) | (config[2] ?? 0)) >>> 0;
  // 5 bits of object type, 4 of the rate's index, 4 of channels; an index of 15 is followed by the rate itself. ISO/IEC 14496-3, 1.6.2.1.
  if (((bits >> 15) & 15) === 15) return undefined;
  return { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8 }[(bits >> 11) & 15];
}

/** @throws Error when it is no ES_Descriptor of a decoder */
function decoderConfig(esds: Uint8Array): { objectType: number; config: Uint8Array } {
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
  if (objectType !== 0x40) return { objectType, config: new Uint8Array() };
  at += 13;
  enter(5);
  return { objectType, config: esds.subarray(at) };
}

function audioObjectType([first = 0, second = 0]: Uint8Array): number {
  return first >> 3 === 31 ? 32 + (((first & 7) << 3) | (second >> 5)) : first >> 3;
}
