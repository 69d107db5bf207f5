import type { OptionalName } from '../../../core/contracts/outputs.ts';
import { assembleTask } from './assemble.ts';
import { encodeTask } from './encode.ts';
import { posterTask } from './poster.ts';
import { previewTask } from './preview.ts';
import type { Task } from './task.ts';
import { verifyTask } from './verify.ts';
import { waveformTask } from './waveform.ts';

/** In the order in which they run. */
export const TASKS: readonly Task<unknown>[] = [encodeTask, waveformTask, verifyTask, previewTask, posterTask];

/** Of a job that MediaConvert encodes. */
export const TASKS_AFTER_ENCODE: readonly Task<unknown>[] = TASKS.map((task) =>
  task === encodeTask ? assembleTask : task,
);

/** Which task makes each output. An output of the catalogue without a task does not compile. */
export const MAKERS: Readonly<Record<OptionalName, Task<unknown>>> = {
  preview: previewTask,
  mp4: encodeTask,
  thumbnail: encodeTask,
  poster: encodeTask,
  posterLarge: posterTask,
  waveform: waveformTask,
};
