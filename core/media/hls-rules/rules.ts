import { DELIVERY_RULES } from './delivery.ts';
import { MEASURED_RULES } from './measured.ts';
import { tagOf } from './playlist.ts';
import { RENDITION_RULES } from './renditions.ts';
import type { Problem, Rule, Stream } from './stream.ts';
import { SYNTAX_RULES } from './syntax.ts';
import { VARIANT_RULES } from './variants.ts';

/**
 * The rules of RFC 8216 and of Apple's "HLS authoring specification for Apple devices"
 * (https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices, numbers as of its revision
 * of 2025-06-26), for streams on demand. docs/streams.md is this list as a table.
 */
export const RULES: readonly Rule[] = [
  ...SYNTAX_RULES,
  ...VARIANT_RULES,
  ...RENDITION_RULES,
  ...MEASURED_RULES,
  ...DELIVERY_RULES,
];

export interface Finding extends Problem {
  rule: Rule;
}

/**
 * Of a whole stream: while one grows its playlists have no end, and are extended one after the other, rates are bounds (RFC 8216, 4.3.4.2), and
 * keyframes of what does not exist yet cannot be named.
 */
const OF_A_WHOLE: readonly string[] = [
  ...['endlist', 'playlist-type', 'same-boundaries', 'same-duration'],
  ...['bandwidth', 'average-bandwidth', 'peak-below-200-percent', 'first-near-2-mbit', 'iframes', 'several-iframes'],
];

/** Whether it is an EVENT that has not ended: RFC 8216, 4.3.3.5. */
function isGrowing({ media }: Stream): boolean {
  return media.some(({ playlist }) => {
    return tagOf(playlist, '#EXT-X-PLAYLIST-TYPE')?.value === 'EVENT' && !tagOf(playlist, '#EXT-X-ENDLIST');
  });
}

/** Every broken rule of a stream, in the order of RULES; of one that grows, of those that hold meanwhile. */
export function checkStream(stream: Stream): Finding[] {
  const rules = isGrowing(stream) ? RULES.filter(({ id }) => !OF_A_WHOLE.includes(id)) : RULES;
  return rules.flatMap((rule) => rule.check(stream).map((found) => ({ ...found, rule })));
}
