import { z } from 'zod';
import { FILES } from '../../../core/contracts/outputs.ts';
import { runFfmpeg } from '../ffmpeg/run.ts';
import { letWrite, takeOver } from '../hand-over.ts';
import { encodeTask } from './encode.ts';
import type { Task } from './task.ts';

/** Seconds: less than any frame lasts, more than the filter rounds a time by. */
const EARLY = 0.0005;

/** The poster's frame once more, of the largest rung: to choose it in that size would keep fifty large pictures in memory. */
export const posterTask: Task<object> = {
  name: 'poster',
  outcome: z.object({}),
  isNeeded: ({ posterLarge }) => posterLarge !== undefined,
  async run({ tools, scratch, plan, signal, outcomeOf }) {
    const { posterSeconds = 0 } = outcomeOf(encodeTask);
    const { out } = scratch;
    const seek = Math.max(0, posterSeconds - EARLY).toFixed(6);
    await letWrite(tools, out);
    const args = [
      ...['-y', '-protocol_whitelist', 'file', '-ss', seek, '-i', `${plan.posterLarge?.rung}.mp4`],
      ...['-frames:v', '1', '-vf', 'scale=out_range=full,format=yuvj420p', '-c:v', 'mjpeg', '-q:v', '3'],
      ...['-f', 'image2', '-update', '1', FILES.posterLarge.file],
    ];
    await runFfmpeg(tools, args, { cwd: out, signal });
    await takeOver(tools, out);
    return {};
  },
};
