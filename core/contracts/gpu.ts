import { z } from 'zod';

/** What the GPU of a worker did with the pictures. */
export const GpuUse = z.object({
  decode: z.boolean(),
  encode: z.boolean(),
  /** Why not both: the first reason. */
  why: z.string().optional(),
});
export type GpuUse = z.infer<typeof GpuUse>;
