import { execa } from 'execa';
import { CHECKED, MISMATCH } from './ffmpeg/complaints.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS } from './ffmpeg/run.ts';
import { checkInTime } from './input/input.ts';
import type { Source } from './read-packets.ts';

/** Of these the decoder leaves out what its checksum contradicts; others say so, and decode the same samples. */
const STRICT = new Set(['ac3', 'eac3']);
/** Three seconds of AC-3. */
const PACKETS = 100;
/** Fewer say nothing of the recorder. */
const LEAST = 10;
/** A part that damage does not reach. */
const THROUGHOUT = 0.9;

/**
 * Whether the checksums of a track of sound are wrong from its beginning on, so that they are its recorder's fault and say nothing of
 * damage. FFmpeg, which does not compare them unless told to, plays it.
 */
export async function hasWrongChecksums(
  { tools, input, signal }: Source,
  { index, codec }: { index: number; codec: string },
): Promise<boolean> {
  if (!STRICT.has(codec)) return false;
  const which = ['-select_streams', String(index), '-read_intervals', `%+#${PACKETS}`];
  const what = ['-count_packets', '-count_frames', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0'];
  const args = ['-v', 'repeat+error', ...confined(input.protocols), ...CHECKED, ...which, ...what];
  const result = await execa(...command(tools, 'ffprobe', [...args, input.nameIn(input.directory)]), {
    cwd: input.directory,
    reject: false,
    cancelSignal: signal,
    ...PROBE_LIMITS,
  });
  signal.throwIfAborted();
  checkInTime(input, result);
  const packets = Number.parseInt(result.stdout ?? '', 10);
  const wrong = (result.stderr ?? '').split(MISMATCH).length - 1;
  return packets >= LEAST && wrong >= THROUGHOUT * packets;
}
