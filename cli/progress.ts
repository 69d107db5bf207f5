import type { JobView, MediaView } from '../core/contracts/http/media.ts';

/** What a worker does after each step; before the first it fetches the original. */
const AFTER = { pulled: 'encoding', transcoded: 'pushing', pushed: 'pushing' } as const;

/** What is being done for a media item. */
export function activityOf(state: MediaView['state'], job: Pick<JobView, 'state' | 'steps'> | undefined): string {
  if (job?.state === 'running') {
    const last = job.steps.at(-1)?.name;
    return last === undefined ? 'pulling' : AFTER[last];
  }
  if (job?.state === 'queued') return 'queued';
  if (job?.state === 'succeeded') return 'publishing';
  return state === 'uploading' || state === 'uploaded' ? 'waiting' : state;
}

/** `██████████░░░░░░░░░░  50 %` */
export function bar(percent: number): string {
  const done = Math.min(20, Math.round(percent / 5));
  return `${'█'.repeat(done)}${'░'.repeat(20 - done)} ${String(Math.floor(percent)).padStart(3)} %`;
}
