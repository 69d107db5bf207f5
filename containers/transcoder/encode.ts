import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { EncodePlan } from '../../core/media/plan.ts';
import { THUMBNAIL_FILE } from '../../core/media/plan.ts';
import { encodeArguments } from './ffmpeg/arguments.ts';
import type { FfmpegProgress } from './ffmpeg/progress.ts';
import { runFfmpeg, type Tools } from './ffmpeg/run.ts';

export interface Encoded {
  /** Video frames that went into each rung; absent for sound. */
  frames?: number;
  /** What FFmpeg warned of, cut. */
  warnings: string;
  skipped: { what: string; why: string }[];
}

/** Makes everything that comes of one decode. */
export async function encode(
  tools: Tools,
  plan: EncodePlan,
  run: { source: string; out: string; signal: AbortSignal; onProgress: (progress: FfmpegProgress) => void },
): Promise<Encoded> {
  const wantsToneMap = plan.video?.color.convert !== undefined;
  const toneMap = wantsToneMap && (await hasFilter(tools, 'zscale'));
  const args = encodeArguments(plan, run.source, { toneMap });
  const { last, stderr } = await runFfmpeg(tools, args, {
    cwd: run.out,
    signal: run.signal,
    onProgress: run.onProgress,
  });
  if (plan.thumbnail && !(await exists(join(run.out, THUMBNAIL_FILE)))) await thumbnailOfStart(tools, plan, run);
  return {
    ...(plan.video && last?.frames !== undefined ? { frames: last.frames } : {}),
    warnings: stderr,
    skipped:
      wantsToneMap && !toneMap
        ? [{ what: 'tone mapping', why: 'This FFmpeg has no zscale filter (zimg): HDR colours look washed out.' }]
        : [],
  };
}

/** When no frame begins after a tenth of the duration, the first one is still on screen then. */
async function thumbnailOfStart(
  tools: Tools,
  plan: EncodePlan,
  run: { out: string; signal: AbortSignal },
): Promise<void> {
  const rung = plan.thumbnail?.rung;
  const input = ['-protocol_whitelist', 'file', '-i', `${rung}.m3u8`];
  const size = `scale=${plan.thumbnail?.width}:${plan.thumbnail?.height}:out_range=full,format=yuvj420p`;
  const output = ['-frames:v', '1', '-vf', size, '-q:v', '3', '-f', 'image2', '-update', '1', THUMBNAIL_FILE];
  await runFfmpeg(tools, [...input, ...output], { cwd: run.out, signal: run.signal });
}

async function hasFilter(tools: Tools, name: string): Promise<boolean> {
  const { stdout } = await execa(tools.ffmpeg, ['-v', 'quiet', '-h', `filter=${name}`], { reject: false });
  return stdout.includes(`Filter ${name}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
