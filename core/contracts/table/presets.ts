import { z } from 'zod';
import { CreatorId } from '../ids.ts';
import { PresetContent } from '../presets.ts';

const Time = z.iso.datetime();

const Version = z.object({
  creatorId: CreatorId,
  name: z.string(),
  version: z.number().int().positive(),
  content: PresetContent,
});

/** A creator's preset as it is now. */
export const PresetRow = Version.extend({
  type: z.literal('preset'),
  /** How often a collection has taken it: a change that has looked who uses it expects the number that it has seen. */
  taken: z.number().int().nonnegative(),
  createdAt: Time,
  updatedAt: Time,
});
export type PresetRow = z.infer<typeof PresetRow>;

/** A version of a preset. It is never changed, and stays when the preset is deleted, so that no number ever says something else. */
export const PresetVersionRow = Version.extend({ type: z.literal('preset-version'), createdAt: Time });
export type PresetVersionRow = z.infer<typeof PresetVersionRow>;
