import { execa } from 'execa';
import type { EncodePlan } from '../../core/media/plan.ts';
import { streamed } from '../../core/media/tasks.ts';
import { encodeArguments } from './ffmpeg/arguments.ts';
import type { FfmpegProgress } from './ffmpeg/progress.ts';
import { runFfmpeg, type Tools } from './ffmpeg/run.ts';
import { splitRendition } from './split.ts';

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
  for (const file of streamed(plan)) await splitRendition(plan, run.out, file);
  return {
    ...(plan.video && last?.frames !== undefined ? { frames: last.frames } : {}),
    warnings: stderr,
    skipped:
      wantsToneMap && !toneMap
        ? [{ what: 'tone mapping', why: 'This FFmpeg has no zscale filter (zimg): HDR colours look washed out.' }]
        : [],
  };
}

async function hasFilter(tools: Tools, name: string): Promise<boolean> {
  const { stdout } = await execa(tools.ffmpeg, ['-v', 'quiet', '-h', `filter=${name}`], { reject: false });
  return stdout.includes(`Filter ${name}`);
}
