import { DELIVERY_RULES } from './delivery.ts';
import { MEASURED_RULES } from './measured.ts';
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

/** Every broken rule of a stream, in the order of RULES. */
export function checkStream(stream: Stream): Finding[] {
  return RULES.flatMap((rule) => rule.check(stream).map((found) => ({ ...found, rule })));
}
