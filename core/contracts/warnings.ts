import { z } from 'zod';
import { printableLine } from './text.ts';

/** What viewers of a version that plays do not get, or get otherwise than its source has it. Per code: when it occurs. */
export const WARNINGS = {
  track_skipped:
    'A track of picture or sound was not taken: another one was, nothing decodes it, or it begins too late.',
  channels_reduced: 'The sound has more than two channels: they were mixed, or the first two were taken.',
  subtitles_dropped:
    'The source has tracks of subtitles, which are not carried, or captions in its pictures that are lost, or in part.',
  chapters_dropped: 'The source has chapters, which are not carried.',
  extras_dropped: 'The source has covers, attachments or tracks of data, or is spherical or 3D, which is not carried.',
  colors_not_converted: 'Colours of HDR or of a wide gamut were not converted, because this FFmpeg lacks the filter.',
  colors_guessed: 'The source names some of the values that make its colours, and not all: the others are assumed.',
  alpha_dropped: 'The pictures have transparency, which is not carried: they are shown opaque.',
  rate_reduced:
    'The source has more pictures a second than its preset allows (60, or 30): whole pictures are left out.',
  rate_made_constant:
    'The source has pictures at times that vary: the engine writes a constant rate, and repeats or leaves out pictures.',
  pictures_left_out: 'Pictures that step back in time were left out, as at the joint of two recordings.',
  sound_left_out: 'Sound that steps back in time was left out, as at the joint of two recordings.',
  picture_damaged: 'Pictures are damaged, and were concealed as well as their decoder can, or could not be decoded.',
  sound_damaged: 'Sound could not be decoded: it is missing, or silence is in its place.',
  end_missing: 'The source announces a little more than it holds: its end is missing.',
  source_damaged: 'The source was read with errors, and no picture or sound was found to be lost.',
  more: 'There were more warnings than are listed.',
} as const;
export type WarningCode = keyof typeof WARNINGS;

/** Warnings of one version, at most: more of them say that a source is bad, which the first ones say too. */
const MOST = 50;
/** Characters of a message; names and numbers in it come from untrusted media. */
const MESSAGE = 200;

export const Warning = z
  .object({
    /** A WarningCode, or that of a later release. */
    code: z.string().meta({ description: `${Object.keys(WARNINGS).join(', ')}; releases to come may add others` }),
    /** Where it begins in the output, in seconds; absent where it concerns all of it. */
    at: z.number().nonnegative().optional(),
    message: z.string(),
  })
  .meta({ id: 'Warning' });
export type Warning = z.infer<typeof Warning>;

/** @param at Seconds in the output. */
export function warning(code: WarningCode, message: string, at?: number): Warning {
  const text = printableLine(message);
  return {
    code,
    ...(at !== undefined && { at: Math.round(Math.max(0, at) * 1000) / 1000 }),
    message: text.length <= MESSAGE ? text : `${text.slice(0, MESSAGE - 1)}…`,
  };
}

/** As many as a version may have, the first ones; the last says how many others there were. */
export function bounded(warnings: readonly Warning[]): Warning[] {
  if (warnings.length <= MOST) return [...warnings];
  const kept = warnings.slice(0, MOST - 1);
  return [...kept, warning('more', `${warnings.length - kept.length} more warnings are not listed.`)];
}
