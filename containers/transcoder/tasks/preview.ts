import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Preview } from '../../../core/contracts/job.ts';
import type { EncodePlan } from '../../../core/media/encode-plan.ts';
import { masterPlaylist } from '../../../core/media/master-playlist.ts';
import { firstSeconds, targetDuration, writeMediaPlaylist } from '../../../core/media/media-playlist.ts';
import { describeRenditions } from '../describe.ts';
import { type RenditionFiles, readRendition } from '../rendition.ts';
import type { Task } from './task.ts';

/** The first seconds, as separate playlists. */
export const previewTask: Task<Preview> = {
  name: 'preview',
  outcome: Preview,
  isNeeded: (plan) => plan.preview !== undefined,
  run: ({ plan, scratch }) => writePreview(plan, scratch.out),
};

/**
 * Writes the preview's playlists. They name the first segments of finished renditions by plain file names: publishing copies
 * those segments beside the playlists.
 */
export async function writePreview(plan: EncodePlan, out: string): Promise<Preview> {
  const wanted = plan.preview;
  const seconds = wanted?.seconds ?? 0;
  const sound = plan.audio?.renditions.find((rendition) => rendition.name === wanted?.audio);
  const files = [wanted?.rung, sound?.file].filter((file) => file !== undefined);
  await mkdir(join(out, 'preview'), { recursive: true });
  const cut: RenditionFiles[] = [];
  for (const file of files) cut.push(shorten(await readRendition(plan, out, file), seconds));
  const target = targetDuration(cut);
  for (const rendition of cut) {
    await writeFile(join(out, 'preview', `${rendition.file}.m3u8`), writeMediaPlaylist(rendition, target));
  }
  await writeFile(
    join(out, 'preview', 'preview.m3u8'),
    masterPlaylist(describeRenditions(plan, cut), '', { audioOnly: false }),
  );
  return {
    playlists: ['preview/preview.m3u8', ...cut.map((rendition) => `preview/${rendition.file}.m3u8`)],
    shared: cut.flatMap((rendition) => [rendition.init, ...rendition.segments.map((segment) => segment.uri)]),
    durationSeconds: Math.min(...cut.map((rendition) => total(rendition.segments))),
  };
}

function shorten(rendition: RenditionFiles, seconds: number): RenditionFiles {
  const uris = new Set(firstSeconds(rendition, seconds).segments.map((segment) => segment.uri));
  const segments = rendition.segments.filter((segment) => uris.has(segment.uri));
  return { ...rendition, segments };
}

function total(segments: readonly { durationSeconds: number }[]): number {
  return segments.reduce((sum, segment) => sum + segment.durationSeconds, 0);
}
