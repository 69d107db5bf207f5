import { z } from 'zod';
import { plainTitle } from '../text.ts';

export const Title = z.string().overwrite(plainTitle).min(1).max(200);

/** One or several words that media are found by. */
const Tag = z.string().overwrite(plainTitle).min(1).max(50);
export const Tags = z
  .array(Tag)
  .max(20)
  .overwrite((tags) => [...new Set(tags)]);

/** A site as browsers name it, or all sites below one, `https://*.example.com`: at most 20 of a collection. */
const Origin = z
  .string()
  .max(200)
  .regex(
    /^https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::[0-9]{1,5})?$/,
    'is a site such as https://www.example.com, without a path',
  );
export const EmbedOrigins = z.array(Origin).max(20);

/** Of a preset, built in or a creator's own. */
export const PresetName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/);
