import { open, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { DropreelError } from '../../core/jobs/errors.ts';
import { LIMITS } from '../../core/media/limits.ts';
import type { TrackEnds } from '../../core/media/plan.ts';
import { checkDuration, FfprobeOutput, interpretProbe, type MediaProbe } from '../../core/media/probe.ts';
import { refuseByContent, SNIFF_BYTES } from '../../core/media/sniff.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { probeFailure } from './ffmpeg/errors.ts';
import type { Tools } from './ffmpeg/run.ts';
import { measureEnds } from './track-ends.ts';
import { checkWhole } from './whole.ts';

export interface Probed {
  probe: MediaProbe;
  ends: TrackEnds;
}

/** Finds out what a file holds, and refuses what is not to be encoded with a DropreelError. Decodes next to nothing. */
export async function probeSource(tools: Tools, file: string, signal: AbortSignal): Promise<Probed> {
  await refuseBySight(file);
  const probe = interpretProbe(await ffprobe(tools, file, signal));
  await checkWhole(file, probe.format);
  const ends = await measureEnds(tools, file, probe, signal);
  checkDuration(Math.max(ends.video ?? 0, ends.audio ?? 0));
  return { probe, ends };
}

async function refuseBySight(file: string): Promise<void> {
  const { size } = await stat(file);
  if (size === 0) throw new DropreelError('empty_file', 'The file has 0 bytes.');
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    const refusal = refuseByContent(buffer.subarray(0, bytesRead));
    if (refusal) throw refusal;
  } finally {
    await handle.close();
  }
}

async function ffprobe(tools: Tools, file: string, signal: AbortSignal): Promise<FfprobeOutput> {
  const limits = ['-max_pixels', String(LIMITS.pixels)];
  const args = ['-v', 'error', ...confined(), ...limits, '-show_format', '-show_streams', '-of', 'json', file];
  const result = await execa(tools.ffprobe, args, { reject: false, cancelSignal: signal, ...PROBE_LIMITS });
  signal.throwIfAborted();
  if (result.timedOut) throw new DropreelError('corrupt', 'The file could not be read within a minute; it is damaged.');
  if (result.failed && result.exitCode === undefined)
    throw new Error(`ffprobe did not start: ${result.originalMessage}`);
  if (result.failed) throw probeFailure(result.stderr);
  const oversized = /Picture size (\d+)x(\d+)/.test(result.stderr);
  if (oversized) throw probeFailure(result.stderr);
  return FfprobeOutput.parse(JSON.parse(result.stdout));
}

export const PROBE_LIMITS = {
  timeout: 60_000,
  killSignal: 'SIGKILL',
  stdin: 'ignore',
  maxBuffer: 32_000_000,
  extendEnv: false,
  env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' },
} as const;
