import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Preview } from '../../../core/contracts/job.ts';
import { STREAMS } from '../../../core/contracts/outputs.ts';
import type { EncodePlan } from '../../../core/media/encode-plan.ts';
import { masterPlaylist } from '../../../core/media/master-playlist.ts';
import { countWithin } from '../../../core/media/media-playlist.ts';
import { describeRenditions } from '../describe.ts';
import { copySegments, measurePeak, type RenditionFiles, readRendition } from '../rendition.ts';
import { writePlaylists } from '../split.ts';
import { encodeTask } from './encode.ts';
import type { Task } from './task.ts';

/** Folder of the preview under the worker's output prefix. */
const PREVIEW = 'preview';

/** The first seconds, as a stream of its own. */
export const previewTask: Task<Preview> = {
  name: 'preview',
  outcome: Preview,
  isNeeded: (plan) => plan.preview !== undefined,
  run: ({ plan, scratch, outcomeOf }) => writePreview(plan, scratch.out, outcomeOf(encodeTask).captions),
};

/** Writes the preview's playlists, and the first segments of finished renditions in files of their own: anyone may see these. */
export async function writePreview(plan: EncodePlan, out: string, captions: readonly string[]): Promise<Preview> {
  const wanted = plan.preview;
  const seconds = wanted?.seconds ?? 0;
  const sound = plan.audio?.renditions.find((rendition) => rendition.name === wanted?.audio);
  const files = [wanted?.rung, sound?.file].filter((file) => file !== undefined);
  const folder = join(out, PREVIEW);
  await mkdir(folder, { recursive: true });
  const cut: RenditionFiles[] = [];
  for (const file of files) cut.push(await shorten(plan, out, file, seconds));
  const playlists = await writePlaylists(plan, folder, cut);
  const described = describeRenditions(plan, cut, { captions, peak: await measurePeak(plan, folder, cut) });
  await writeFile(join(folder, STREAMS.preview.playlist), masterPlaylist(described, '', { audioOnly: false }));
  const names = [STREAMS.preview.playlist, ...playlists, ...cut.map(({ init }) => init.uri)];
  return {
    playlists: names.map((name) => `${PREVIEW}/${name}`),
    shared: [],
    durationSeconds: Math.min(...cut.map((rendition) => total(rendition.segments))),
  };
}

async function shorten(plan: EncodePlan, out: string, file: string, seconds: number): Promise<RenditionFiles> {
  const full = await readRendition(plan, out, file);
  const segments = full.segments.slice(0, countWithin(full.segments, seconds));
  const { uri, range } = full.init;
  return copySegments(join(out, uri), join(out, PREVIEW, uri), { ...full, init: range, segments });
}

function total(segments: readonly { durationSeconds: number }[]): number {
  return segments.reduce((sum, segment) => sum + segment.durationSeconds, 0);
}
