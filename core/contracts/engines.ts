import { z } from 'zod';

/**
 * The engines that may encode media, by the names in rows, the API and the template. `engines/registry.ts` has a member for
 * each.
 */
export const EngineName = z.enum(['batch-cpu', 'batch-gpu', 'http', 'mediaconvert']);
export type EngineName = z.infer<typeof EngineName>;

/**
 * The deployment's choice, also where neither an upload nor its collection names an engine. It is made when the job is submitted, and
 * kept on its row from then on.
 */
export const AUTO = 'auto';

/** What an upload, a retry or a collection may ask for. */
export const EngineChoice = z.enum([AUTO, ...EngineName.options]);
export type EngineChoice = z.infer<typeof EngineChoice>;
