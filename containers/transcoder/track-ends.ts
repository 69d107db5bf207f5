import { execa } from 'execa';
import { DropreelError } from '../../core/jobs/errors.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { confined } from './ffmpeg/demuxers.ts';
import type { Tools } from './ffmpeg/run.ts';
import { PROBE_LIMITS } from './probe.ts';

/** How far before the announced end the packets are read, in seconds. */
const TAIL_SECONDS = 10;

/**
 * Where the chosen tracks end, in seconds after the file's start. An MP4's index says it exactly; of other files the last
 * packets are read. A file that announces much more than its packets hold was cut off.
 */
export async function measureEnds(
  tools: Tools,
  file: string,
  probe: MediaProbe,
  signal: AbortSignal,
): Promise<{ video?: number; audio?: number }> {
  const { video, audio } = probe;
  const announced = { video: video?.endSeconds, audio: audio?.endSeconds };
  const exact = probe.format.startsWith('mov,');
  if (exact && (!video || announced.video) && (!audio || announced.audio)) return defined(announced);
  const tracks = { video: video?.index, audio: audio?.index };
  const tail = probe.durationSeconds === undefined ? undefined : Math.max(0, probe.durationSeconds - TAIL_SECONDS);
  const read = async (from: number | undefined) => lastPackets(tools, file, tracks, from, signal);
  const byTail = video && tail ? await read(tail) : undefined;
  // Where seeking fails, as in a file whose index was cut off, all packets are read. Sound files are small and their
  // announced duration is often a guess from the bit rate, so they are read whole.
  const complete = byTail && (!video || byTail.video !== undefined) && (!audio || byTail.audio !== undefined);
  const ends = complete ? byTail : await read(undefined);
  const measured = Math.max(ends.video ?? 0, ends.audio ?? 0);
  if (measured === 0) throw new DropreelError('corrupt', 'The file announces tracks, but holds nothing of them.');
  if (video) checkComplete(probe.durationSeconds, measured);
  return defined(ends);
}

// Containers round; a second, or a hundredth, is no sign of a cut.
function checkComplete(announced: number | undefined, measured: number): void {
  if (announced === undefined || measured >= announced - Math.max(1, announced / 100)) return;
  const message = `The file is cut off: it announces ${announced.toFixed(1)} s and holds ${measured.toFixed(1)} s.`;
  throw new DropreelError('truncated', message);
}

async function lastPackets(
  tools: Tools,
  file: string,
  tracks: { video: number | undefined; audio: number | undefined },
  from: number | undefined,
  signal: AbortSignal,
): Promise<{ video: number | undefined; audio: number | undefined }> {
  const args = [
    ...['-v', 'error', ...confined()],
    ...(from === undefined ? [] : ['-read_intervals', `${from.toFixed(3)}%`]),
    ...['-show_entries', 'packet=stream_index,pts_time,duration_time:format=start_time', '-of', 'compact=p=0', file],
  ];
  const child = execa(tools.ffprobe, args, {
    ...PROBE_LIMITS,
    timeout: 3_600_000,
    reject: false,
    cancelSignal: signal,
    buffer: false,
    stderr: 'ignore',
  });
  const ends = new Map<number, number>();
  let start = 0;
  for await (const line of child) {
    const field = (name: string) => Number.parseFloat(new RegExp(`(?:^|\\|)${name}=([-\\d.]+)`).exec(line)?.[1] ?? '');
    const index = field('stream_index');
    if (Number.isNaN(index)) start = field('start_time') || start;
    const end = field('pts_time') + (field('duration_time') || 0);
    if (end > (ends.get(index) ?? Number.NEGATIVE_INFINITY)) ends.set(index, end);
  }
  signal.throwIfAborted();
  const relative = (index: number | undefined) => {
    const end = index === undefined ? undefined : ends.get(index);
    return end === undefined ? undefined : end - start;
  };
  return { video: relative(tracks.video), audio: relative(tracks.audio) };
}

function defined(ends: { video: number | undefined; audio: number | undefined }): { video?: number; audio?: number } {
  return {
    ...(ends.video === undefined ? {} : { video: ends.video }),
    ...(ends.audio === undefined ? {} : { audio: ends.audio }),
  };
}
