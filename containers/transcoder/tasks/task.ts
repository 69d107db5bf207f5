import type { z } from 'zod';
import type { EncodePlan } from '../../../core/media/encode-plan.ts';
import type { Tools } from '../ffmpeg/run.ts';
import type { Input } from '../input/input.ts';
import type { Scratch } from '../scratch.ts';

export type Phase = 'probing' | 'transcoding' | 'verifying';

export interface TranscodeProgress {
  /** `fraction` of this phase, 0 to 1; `speed` in multiples of real time. */
  onProgress: (progress: { phase: Phase; fraction: number; speed?: number | undefined }) => void;
  /** Called when the encoder writes output for the first time. */
  onFirstFrame?: () => void;
}

export interface TaskContext extends TranscodeProgress {
  tools: Tools;
  input: Input;
  scratch: Scratch;
  plan: EncodePlan;
  /** Whether a GPU is to be used, if there is one. */
  gpu?: boolean;
  signal: AbortSignal;
  /** Awaited by the encode when all is decoded. Throws when the plan turned out to be wrong. */
  onDecoded?: () => Promise<void>;
  /** The outcome of an earlier task of the list. Throws when it has not run. */
  outcomeOf<Outcome>(task: Task<Outcome>): Outcome;
}

/**
 * One step of the work between pull and push. It is finished when its marker, `{name}.done.json`, lies on the scratch disk: an attempt
 * that restarts on the same disk takes the outcome from there, so a task completes its files before it returns.
 */
export interface Task<Outcome> {
  name: string;
  /** Schema of the outcome, as its marker holds it. */
  outcome: z.ZodType<Outcome>;
  /** Whether this plan needs the task. */
  isNeeded(plan: EncodePlan): boolean;
  /** @throws DropreelError, or the signal's reason */
  run(context: TaskContext): Promise<Outcome>;
}
