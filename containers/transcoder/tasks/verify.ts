import { z } from 'zod';
import { verify } from '../verify.ts';
import { encodeTask } from './encode.ts';
import type { Task } from './task.ts';

/** Reads back what was encoded. */
export const verifyTask: Task<object> = {
  name: 'verify',
  outcome: z.object({}),
  isNeeded: () => true,
  async run({ tools, input, scratch, plan, signal, onProgress, outcomeOf }) {
    const { gpu, frames, fault, decoded, announced, readBack } = outcomeOf(encodeTask);
    // What a GPU encoded was not taken unread.
    if (gpu?.encode) return {};
    const onRendition = (done: number, of: number) => onProgress({ phase: 'verifying', fraction: done / of });
    const { out, times } = scratch;
    await verify(tools, plan, { input, out, times, frames, decoded, announced, readBack, fault, signal, onRendition });
    return {};
  },
};
