import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { mp4Arguments, mp4Parts } from './ffmpeg/arguments.ts';
import { damaged } from './ffmpeg/errors.ts';
import { runFfmpeg, type Tools } from './ffmpeg/run.ts';
import { takeOver } from './hand-over.ts';
import { splitRenditions } from './split.ts';

/**
 * Joins the MP4 from encoded renditions, and makes the files that are published of them, with their playlists.
 * @param fault The decoders' first error, where there is one: it is the cause of files that are not as they should be.
 */
export async function joinOutputs(
  tools: Tools,
  plan: EncodePlan,
  { out, fault, signal }: { out: string; fault?: string | undefined; signal: AbortSignal },
): Promise<void> {
  if (plan.mp4 && plan.video) {
    await runFfmpeg(tools, mp4Arguments(plan, plan.video), { cwd: out, signal });
  }
  await takeOver(tools, out);
  await splitRenditions(plan, out).catch((error: unknown) => {
    if (fault !== undefined && error instanceof DropreelError) throw damaged(fault, error.message);
    throw error;
  });
  // What only the MP4 is made of.
  if (plan.mp4) for (const part of mp4Parts(plan)) await rm(join(out, part), { force: true });
}
