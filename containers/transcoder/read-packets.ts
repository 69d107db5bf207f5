import { basename, dirname } from 'node:path';
import { execa } from 'execa';
import { DropreelError } from '../../core/contracts/errors.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS, type Tools } from './ffmpeg/run.ts';
import type { Packet } from './packets.ts';

export interface Source {
  tools: Tools;
  file: string;
  signal: AbortSignal;
}

/** Milliseconds. Reading every packet of a large file is as slow as the disk. */
const READ_TIMEOUT = 3_600_000;

/**
 * Gives each packet that FFmpeg's demuxer finds, in the file's order, to `onPacket`. Nothing is decoded.
 * @param which ffprobe's options that select packets; none: all of them
 * @returns when the file begins, in seconds of its packets' clock
 */
export async function eachPacket(
  { tools, file, signal }: Source,
  which: readonly string[],
  onPacket: (packet: Packet) => void,
): Promise<number> {
  const entries = 'packet=stream_index,pts_time,dts_time,duration_time,flags:format=start_time';
  const output = ['-show_entries', entries, '-of', 'compact=p=0', `./${basename(file)}`];
  const args = ['-v', 'error', ...confined(), ...which, ...output];
  const child = execa(...command(tools, 'ffprobe', args), {
    ...PROBE_LIMITS,
    timeout: READ_TIMEOUT,
    reject: false,
    cancelSignal: signal,
    cwd: dirname(file),
    buffer: false,
    stderr: 'ignore',
  });
  let fileStart = 0;
  for await (const line of child) {
    const fields = new Map(line.split('|').map((field) => field.split('=') as [string, string]));
    const number = (name: string) => Number.parseFloat(fields.get(name) ?? '');
    const track = number('stream_index');
    if (Number.isNaN(track)) {
      fileStart = number('start_time') || fileStart;
      continue;
    }
    const times = { pts: number('pts_time'), dts: number('dts_time'), duration: number('duration_time') };
    onPacket({ track, ...times, discarded: fields.get('flags')?.includes('D') ?? false });
  }
  signal.throwIfAborted();
  const { timedOut } = await child;
  if (timedOut) throw new DropreelError('corrupt', 'The packets of the file could not be read within an hour.');
  return fileStart;
}
