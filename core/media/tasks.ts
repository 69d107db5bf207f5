import type { EncodePlan } from './plan.ts';

/**
 * One step of the work between pull and push. Its inputs are outputs of earlier tasks, or `source`; paths are relative to the
 * output directory. It is finished when its marker is there: a job that is started again on the same disk skips it.
 */
export interface Task {
  name: 'encode' | 'waveform' | 'preview' | 'verify';
  inputs: string[];
  /** Files, or renditions by name of their playlist: their segments belong to them. */
  outputs: string[];
  /** File name of the done-marker. It holds what the task found out, as JSON. */
  done: string;
}

export const SOURCE_FILE = 'source';

export function planTasks(plan: Omit<EncodePlan, 'tasks' | 'worstCaseBytes'>): Task[] {
  const playlists = streamed(plan).map((file) => `${file}.m3u8`);
  const pictures = [...(plan.poster ? ['poster.jpg'] : []), ...(plan.thumbnail ? ['thumbnail.jpg'] : [])];
  const encoded = [...playlists, ...(plan.mp4 ? [plan.mp4.file] : []), ...pictures];
  const tasks: Omit<Task, 'done'>[] = [{ name: 'encode', inputs: [SOURCE_FILE], outputs: encoded }];
  if (plan.waveform) tasks.push({ name: 'waveform', inputs: [SOURCE_FILE], outputs: ['waveform.json'] });
  tasks.push({ name: 'verify', inputs: encoded, outputs: [] });
  if (plan.preview) tasks.push({ name: 'preview', inputs: playlists, outputs: ['preview/preview.m3u8'] });
  return tasks.map((task) => ({ ...task, done: `${task.name}.done.json` }));
}

/** File names, without ending, of all renditions that are streamed: rungs first, then sound. */
export function streamed(plan: Pick<EncodePlan, 'video' | 'audio'>): string[] {
  const audio = plan.audio?.renditions.filter((rendition) => rendition.streamed) ?? [];
  return [...(plan.video?.rungs ?? []).map((rung) => rung.name), ...audio.map((rendition) => rendition.file)];
}
