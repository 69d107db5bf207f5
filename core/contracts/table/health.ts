import { z } from 'zod';

/** The latest object under drop/ whose key is no drop: no media item reports it. */
export const BadKeyRow = z.object({ key: z.string(), at: z.iso.datetime() });
export type BadKeyRow = z.infer<typeof BadKeyRow>;
