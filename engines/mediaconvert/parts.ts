import { JobId } from '../../core/contracts/ids.ts';
import { isLoss } from './reasons.ts';

/**
 * A job has three parts: a worker prepares it, MediaConvert encodes, a worker finishes. The row names the second and the third; the third
 * with the number of the submission that was encoded, and those of MediaConvert's warnings that tell of a loss: `finish-2-230006`.
 */
export const ENCODE = 'encode';
const PREPARE = 'prepare';

export interface Finish {
  /** Of the submission whose outputs are finished. */
  number: number;
  /** Numbers of MediaConvert's warnings. */
  warnings: readonly number[];
}

const FINISH = /^finish-(\d{1,6})((?:-\d{6}){0,10})$/;

export function finishPart({ number, warnings }: Finish): string {
  return ['finish', number, ...new Set(warnings.filter(isLoss))].join('-');
}

/** Null for another part. */
export function readFinish(part: string | undefined): Finish | null {
  const [matched, number, warnings = ''] = FINISH.exec(part ?? '') ?? [];
  if (matched === undefined) return null;
  return { number: Number(number), warnings: warnings.split('-').filter(Boolean).map(Number) };
}

/** Prefix of what MediaConvert writes, under that of the job: each submission has its own. */
export function encodedPrefix(number: number): string {
  return `encode-${number}/`;
}

/** The name of a worker's job on AWS Batch. */
export function taskName(jobId: string, part: string | undefined): string {
  return `${jobId}-${part ?? PREPARE}`;
}

/** Of which job it is, and which part; null for a name that is not of a part. */
export function readTaskName(name: string): { jobId: string; part: string | undefined } | null {
  const [id = '', part = ''] = name.split(/-(prepare$|finish-.*$)/);
  const { success, data: jobId } = JobId.safeParse(id);
  if (!success || (part !== PREPARE && !readFinish(part))) return null;
  return { jobId, part: part === PREPARE ? undefined : part };
}
