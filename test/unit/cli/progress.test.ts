import { expect, it } from 'vitest';
import { activityOf, bar } from '../../../cli/progress.ts';
import type { JobView, MediaView } from '../../../core/contracts/http/media.ts';

const at = '2026-11-29T12:00:00.000Z';
type Steps = JobView['steps'][number]['name'][];

it.each<[MediaView['state'], JobView['state'] | undefined, Steps, string]>([
  ['uploading', undefined, [], 'waiting'],
  ['uploaded', 'queued', [], 'queued'],
  ['transcoding', 'queued', [], 'queued'],
  ['transcoding', 'running', [], 'pulling'],
  ['transcoding', 'running', ['pulled'], 'encoding'],
  ['transcoding', 'running', ['pulled', 'transcoded'], 'pushing'],
  ['transcoding', 'succeeded', ['pulled', 'transcoded', 'pushed'], 'publishing'],
  ['ready', 'published', ['pulled', 'transcoded', 'pushed'], 'ready'],
  ['deleting', 'cancelled', [], 'deleting'],
])('a media item that is %s, with a job that is %s after %j, is at: %s', (state, jobState, steps, activity) => {
  const job = jobState && { state: jobState, steps: steps.map((name) => ({ name, at })) };
  expect(activityOf(state, job)).toBe(activity);
});

it.each([
  [0, '░░░░░░░░░░░░░░░░░░░░   0 %'],
  [50.9, '██████████░░░░░░░░░░  50 %'],
  [100, '████████████████████ 100 %'],
])('%d percent are drawn as %s', (percent, drawn) => {
  expect(bar(percent)).toBe(drawn);
});
