import { z } from 'zod';
import { CollectionId, CreatorId, MediaId } from '../ids.ts';
import { PresetContent } from '../presets.ts';
import { PublishedVersion } from './media.ts';

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

/** What a report says of one version. */
export const VersionFacts = PublishedVersion.pick({ version: true, preset: true, bytes: true, ssim: true }).extend({
  /** Pixels of its largest rendition. Where the two versions differ in this, no SSIM is said. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  renditions: z.array(z.object({ name: z.string(), bytes: z.number() })),
  /** Key of its large poster, or else of its small one: while the version is kept. */
  poster: z.string().optional(),
});
export type VersionFacts = z.infer<typeof VersionFacts>;

export const ROLL_OUT_STATES = ['sampling', 'waiting', 'going', 'done', 'stopped', 'putting-back', 'put-back'] as const;

/** The staged re-transcode of media to the present version of their collections' preset: the latest of each preset. */
export const RollOutRow = z.object({
  type: z.literal('roll-out'),
  creatorId: CreatorId,
  name: z.string(),
  /** Of the preset, which is rolled out. */
  version: z.number().int().positive(),
  /** Absent: all collections that have the preset. */
  collectionId: CollectionId.optional(),
  /** How many of the media come first, in per cent; 100: all, without a pause. */
  samplePercent: z.number(),
  state: z.enum(ROLL_OUT_STATES),
  /** What it was at, or is at, until it was stopped: `going` from the moment that a person has seen a sample. */
  stage: z.enum(['sampling', 'going']).default('sampling'),
  /** Why it was stopped. */
  why: z.string().optional(),
  /** Counts its steps: each is conditional on the one before. */
  step: z.number().int().nonnegative(),
  /** Media that are to be encoded now. */
  batch: z.array(MediaId),
  /** Where the list of media goes on: a collection and, in it, a position of the index as JSON. Absent: at its beginning. */
  cursor: z
    .object({
      collectionId: CollectionId,
      after: z.string().optional(),
      /** How many of this collection the sample has. */
      taken: z.number().int().optional(),
    })
    .optional(),
  /** Whether all of this stage is listed. */
  listed: z.boolean(),
  taken: z.number().int(),
  done: z.number().int(),
  failed: z.number().int(),
  /** Deleted, moved, or encoded by something else meanwhile. */
  skipped: z.number().int(),
  /** How often a person has let it go on. */
  wave: z.number().int(),
  /** How many had ended, had failed, and were taken without being done or under way, when a person last let it go on. */
  seen: z.object({ ended: z.number().int(), failed: z.number().int(), taken: z.number().int().default(0) }),
  /** Of the last that ended since then, which have failed. */
  lately: z.array(z.boolean()).default([]),
  /** How many were asked to go back to the version before. */
  putBack: z.number().int(),
  /** Of the first that are done. */
  report: z.array(z.object({ mediaId: MediaId, before: VersionFacts, after: VersionFacts })),
  /** The last failures. */
  failures: z.array(z.object({ mediaId: MediaId, code: z.string(), message: z.string() })),
  startedAt: Time,
  updatedAt: Time,
  todo: z.string().optional(),
  todoAt: Time.optional(),
});
export type RollOutRow = z.infer<typeof RollOutRow>;
