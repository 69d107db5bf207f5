import { execa } from 'execa';
import { DropreelError } from '../../core/contracts/errors.ts';
import { Complaints } from './ffmpeg/complaints.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS, READ_LIMITS, type Tools } from './ffmpeg/run.ts';
import { checkInTime, type Input } from './input/input.ts';
import type { Packet } from './packets.ts';

export interface Source {
  tools: Tools;
  input: Input;
  signal: AbortSignal;
}

/**
 * Gives each packet that FFmpeg's demuxer finds, in the file's order, to `onPacket`. Nothing is decoded.
 * @param which ffprobe's options that select packets; none: all of them
 * @returns when the file begins, in seconds of its packets' clock, and what FFmpeg complained of
 */
export async function eachPacket(
  { tools, input, signal }: Source,
  which: readonly string[],
  onPacket: (packet: Packet) => void,
): Promise<{ fileStart: number; said: Complaints }> {
  const entries = 'packet=stream_index,pts_time,dts_time,duration_time,flags:format=start_time';
  const output = ['-show_entries', entries, '-of', 'compact=p=0', input.nameIn(input.directory)];
  const args = ['-v', 'level+warning', ...confined(input.protocols), ...which, ...output];
  const child = execa(...command(tools, 'ffprobe', args), {
    ...READ_LIMITS,
    reject: false,
    cancelSignal: signal,
    cwd: input.directory,
    buffer: false,
  });
  const said = new Complaints();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.add(text);
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
    const flags = fields.get('flags') ?? '';
    onPacket({ track, ...times, discarded: flags.includes('D'), key: flags.includes('K') });
  }
  signal.throwIfAborted();
  const result = await child;
  checkInTime(input, result);
  if (result.timedOut) throw new DropreelError('corrupt', 'The packets of the file could not be read within an hour.');
  return { fileStart, said };
}

/** Among so many packets there is a whole group of pictures: ten seconds at 60 a second. */
const GROUP_PACKETS = 600;

/** When the first picture is shown that a decoder gives, in seconds of the packets' clock; undefined where it gives none. */
export async function firstShown({ tools, input, signal }: Source, track: number): Promise<number | undefined> {
  const which = ['-select_streams', String(track), '-read_intervals', `%+#${GROUP_PACKETS}`];
  const what = ['-show_frames', '-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0'];
  // With as many threads as ffmpeg takes: on them depends whether H.264's pictures before the first keyframe are shown.
  const decoding = ['-threads', '0', ...what];
  const args = ['-v', 'quiet', ...confined(input.protocols), ...which, ...decoding, input.nameIn(input.directory)];
  const options = { cwd: input.directory, reject: false, cancelSignal: signal, ...PROBE_LIMITS } as const;
  const result = await execa(...command(tools, 'ffprobe', args), options);
  signal.throwIfAborted();
  checkInTime(input, result);
  const times = (result.stdout ?? '').split('\n').map((line) => Number.parseFloat(line));
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.min(...known);
}
