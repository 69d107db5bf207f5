import { Encoded, encode } from '../encode.ts';
import type { FfmpegProgress } from '../ffmpeg/progress.ts';
import { encodeOnGpu } from '../gpu.ts';
import { empty, needDisk } from '../scratch.ts';
import type { Task, TaskContext } from './task.ts';

/** The streams, the MP4 and the pictures. */
export const encodeTask: Task<Encoded> = {
  name: 'encode',
  outcome: Encoded,
  isNeeded: () => true,
  async run(context) {
    const { tools, input, scratch, plan, signal, onDecoded } = context;
    const { out, times } = scratch;
    // What a worker left that was killed.
    await empty(out);
    await needDisk(scratch, plan.worstCaseBytes, 'Encoding this file');
    const make = context.gpu && plan.video ? encodeOnGpu : encode;
    try {
      return await make(tools, plan, { input, out, times, signal, onDecoded, onProgress: progressOf(context) });
    } catch (error) {
      // What follows may need the disk: another encode, or a download of the source.
      await empty(out);
      throw error;
    }
  },
};

function progressOf({ plan, onProgress, onFirstFrame }: TaskContext) {
  let started = false;
  return ({ frames, seconds, speed }: FfmpegProgress) => {
    if (!started && (frames ?? seconds ?? 0) > 0) {
      started = true;
      onFirstFrame?.();
    }
    const fraction = Math.min(1, (seconds ?? 0) / Math.max(plan.durationSeconds, 0.001));
    onProgress({ phase: 'transcoding', fraction, speed });
  };
}
