import { z } from 'zod';

/** What the GPU of a worker did with the pictures. */
export const GpuUse = z.object({
  decode: z.boolean(),
  /** Absent where it did not. */
  scale: z.boolean().optional(),
  encode: z.boolean(),
  /** Why not all: the first reason. */
  why: z.string().optional(),
});
export type GpuUse = z.infer<typeof GpuUse>;
