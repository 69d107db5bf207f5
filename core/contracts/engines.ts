import { z } from 'zod';

/**
 * The engines that may encode media, by the names in rows, the API and the template. `engines/registry.ts` has a member for
 * each.
 */
export const EngineName = z.enum(['batch-cpu']);
export type EngineName = z.infer<typeof EngineName>;

/** Where neither an upload nor its collection names one. */
export const DEFAULT_ENGINE: EngineName = 'batch-cpu';
