import { parseJson } from '../../../../core/contracts/text.ts';
import type { Preset } from '../use-presets.ts';

/** What the fields show and change: numbers that cannot be read are null, which the schema refuses at its place. */
export interface Draft {
  rungs: { shortSide: number | null; maxBitrate: number | null; audio: string }[];
  crf: number | null;
  maxFrameRate: number | null;
  segmentSeconds: number | null;
  mp4LongSide: number | null;
  loudnessTarget?: number | null | undefined;
  outputs: Record<string, boolean>;
  [other: string]: unknown;
}

/** What may be sent back, as a person reads it. */
export function textOf(preset: Preset): string {
  const { rungs, crf, codec, maxFrameRate, segmentSeconds, mp4LongSide, loudnessTarget, outputs } = preset;
  return write({ rungs, crf, codec, maxFrameRate, segmentSeconds, mp4LongSide, loudnessTarget, outputs });
}

export function write(draft: object): string {
  return JSON.stringify(draft, null, 2);
}

/** Null: the text is no preset that fields could show. */
export function read(text: string): Draft | null {
  const value = parseJson(text);
  if (!isObject(value) || !Array.isArray(value.rungs) || !value.rungs.every(isObject)) return null;
  return { outputs: {}, ...value } as Draft;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
