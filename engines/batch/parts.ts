import { JobId } from '../../core/contracts/ids.ts';
import { ChunkCount } from '../../core/contracts/job.ts';

/**
 * A film in chunks has three parts: a worker looks at it and leaves it in chunks, an array job encodes them, a worker joins them. The row names
 * the second and the third, with the number of chunks: `chunks-12`, `join-12`. Any other job has one part, without a name.
 */
export interface FilmPart {
  name: 'chunks' | 'join';
  /** Of chunks. The array has one child more, for the sound. */
  count: number;
}

const PART = /^(chunks|join)-(\d{1,4})$/;

export function partText({ name, count }: FilmPart): string {
  return `${name}-${count}`;
}

/** Null for the first part, and for one that is not of a film. */
export function readPart(part: string | undefined): FilmPart | null {
  const [, name, digits] = PART.exec(part ?? '') ?? [];
  const { success, data: count } = ChunkCount.safeParse(Number(digits));
  if (!success || (name !== 'chunks' && name !== 'join')) return null;
  return { name, count };
}

/** The name of a part's job on AWS Batch. */
export function taskName(jobId: string, part: string | undefined): string {
  return part === undefined ? jobId : `${jobId}-${part}`;
}

/** Of which job it is, and which part; null for a name that is not of a job of this engine. */
export function readTaskName(name: string): { jobId: string; part?: string } | null {
  const [id = '', part] = name.split(/-((?:chunks|join)-\d{1,4})$/);
  const { success, data: jobId } = JobId.safeParse(id);
  if (!success || (part !== undefined && !readPart(part))) return null;
  return { jobId, ...(part !== undefined && { part }) };
}

/** AWS Batch's id of a child of an array job: that of the array, and its index. */
const CHILD = /^([\w-]{1,128}):(\d{1,5})$/;

/** The id of the array that a job belongs to; undefined for any other job. */
export function arrayOf(engineJobId: string): string | undefined {
  return CHILD.exec(engineJobId)?.[1];
}

export function childId({ array, index }: { array: string; index: number }): string {
  return `${array}:${index}`;
}

/** Name of a worker that is started beside a child: `{jobId}-twin-3-{array}`. */
const TWIN = /^(.+)-twin-(\d{1,5})-([\w-]{1,64})$/;

export function twinName(jobId: string, child: string): string {
  const [array, index] = child.split(':');
  return `${jobId}-twin-${index}-${array}`;
}

/** A filter of AWS Batch for the names of all that are started beside children of a job. */
export function twinNames(jobId: string): string {
  return `${jobId}-twin-*`;
}

/** The id of the child beside which it was started; null for a name that is not of such a worker of ours. */
export function readTwinName(name: string): string | null {
  const [, jobId, index, array] = TWIN.exec(name) ?? [];
  if (array === undefined || !JobId.safeParse(jobId).success) return null;
  return childId({ array, index: Number(index) });
}
