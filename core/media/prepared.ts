import { z } from 'zod';
import { JobId } from '../contracts/ids.ts';
import { ChunkCount, UsedSeconds } from '../contracts/job.ts';
import { SourceInfo } from '../contracts/table/media.ts';
import { Warning } from '../contracts/warnings.ts';
import { MediaProbe, TrackEnds } from './tracks.ts';

/**
 * `tmp/{jobId}/prepared.json`: what a worker found in a source that another engine encodes, or several workers do. The plan follows from it
 * and the preset.
 */
export const Prepared = z.object({
  jobId: JobId,
  probe: MediaProbe,
  ends: TrackEnds,
  /** FFmpeg's indices of all audio tracks of the source, in their order. */
  audioTracks: z.array(z.number().int()),
  report: SourceInfo.pick({ container: true, tracks: true, moreTracks: true }),
  /** What is lost of it before anything is encoded. */
  warnings: z.array(Warning),
  /** Into how many chunks a film is cut; absent where another engine encodes it. */
  chunks: ChunkCount.optional(),
  /** Of the worker; the wall time where it leaves a film in chunks. */
  cpuSeconds: UsedSeconds,
  wallSeconds: UsedSeconds.optional(),
});
export type Prepared = z.infer<typeof Prepared>;
