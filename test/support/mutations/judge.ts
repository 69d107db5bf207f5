import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { asDropreelError } from '../../../containers/transcoder/failures.ts';
import { openScratch, removeScratch } from '../../../containers/transcoder/scratch.ts';
import { transcode } from '../../../containers/transcoder/transcode.ts';
import { ERRORS, type ErrorCode } from '../../../core/contracts/errors.ts';
import { TOOLS } from '../media.ts';
import { presetNamed } from '../transcode.ts';
import { type Mutation, mutate } from './mutate.ts';
import type { SourceFile } from './sources.ts';

/** Warnings of what a whole file lacks, too. */
const NOT_DAMAGE = new Set([
  'track_skipped',
  'channels_reduced',
  'subtitles_dropped',
  'chapters_dropped',
  'extras_dropped',
  'colors_not_converted',
  'colors_guessed',
  'alpha_dropped',
  'rate_reduced',
  'rate_made_constant',
  'pictures_left_out',
  'sound_left_out',
  'more',
]);

/** Milliseconds that a file of a second may take on a busy machine. */
const LIMIT_MS = 60_000;

/**
 * `same`: ready, and decodes as the original does. `said`: ready with a warning. `unnoticed`: ready without one; FFmpeg decodes it to
 * something else without an error, as it does any bytes of PCM. `silent`: ready without one, though FFmpeg's decode has errors.
 */
export type Outcome = ErrorCode | 'hangs' | 'same' | 'said' | 'unnoticed' | 'silent';

export interface Verdict extends Mutation {
  outcome: Outcome;
  message: string;
}

/**
 * Ends that are a fault of dropreel's, whatever the file: it hangs, its damage is seen and not said, or its code is one of those of ours
 * that a repeat may mend.
 */
export function isFault({ outcome }: Verdict): boolean {
  return outcome === 'hangs' || outcome === 'silent' || (outcome in ERRORS && ERRORS[outcome as ErrorCode].transient);
}

/** What the worker makes of a damaged copy of a file, from probe to verification. */
export async function judge(source: SourceFile, original: string, seed: number, directory: string): Promise<Verdict> {
  const mutation = mutate(source.bytes, seed);
  const scratch = await openScratch(join(directory, `job-${crypto.randomUUID()}`));
  await writeFile(scratch.source, mutation.bytes);
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const preset = presetNamed('compact');
    const result = await transcode({ tools: TOOLS, scratch, preset, signal, onProgress: () => undefined });
    const { hashes, said } = await decode(scratch.source);
    const isSaid = (result.warnings ?? []).some(({ code }) => !NOT_DAMAGE.has(code));
    const outcome = hashes === original ? 'same' : isSaid ? 'said' : said === '' ? 'unnoticed' : 'silent';
    return { ...mutation, outcome, message: outcome === 'silent' ? (said.split('\n')[0] ?? '') : '' };
  } catch (error) {
    if (signal.aborted) return { ...mutation, outcome: 'hangs', message: `after ${LIMIT_MS} ms` };
    const { code, message, detail } = asDropreelError(error);
    return { ...mutation, outcome: code, message: ERRORS[code].transient ? `${message}\n${detail ?? ''}` : message };
  } finally {
    await removeScratch(scratch);
    await rm(scratch.source, { force: true });
  }
}

/** Hashes of all pictures and samples of a file's first tracks, in order, without their times; and FFmpeg's errors. */
export async function decode(path: string): Promise<{ hashes: string; said: string }> {
  const tracks = ['-map', '0:V:0?', '-map', '0:a:0?', '-fps_mode', 'passthrough'];
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-err_detect',
    'crccheck',
    '-i',
    path,
    ...tracks,
    '-c:a',
    'pcm_f32le',
    '-f',
    'framehash',
    '-hash',
    'md5',
    '-',
  ];
  const { stdout, stderr } = await execa(TOOLS.ffmpeg, args, {
    reject: false,
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const frames = stdout.split('\n').filter((line) => !line.startsWith('#'));
  const hashes = frames.map((line) => line.split(',').map((field) => field.trim()));
  // FFmpeg interleaves the tracks by their times.
  const track = (index: string) => hashes.filter(([of]) => of === index).map((fields) => fields.at(-1));
  return { hashes: [...track('0'), ...track('1')].join('\n'), said: stderr };
}
