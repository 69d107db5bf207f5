import { execa } from 'execa';
import { DropreelError } from '../../core/jobs/errors.ts';
import type { TrackEnds } from '../../core/media/plan.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { confined } from './ffmpeg/demuxers.ts';
import type { Tools } from './ffmpeg/run.ts';
import { PROBE_LIMITS } from './probe.ts';

/** How far before the announced end the packets are read, in seconds. */
const TAIL_SECONDS = 10;
/** Reading every packet of a large file is as slow as the disk. Milliseconds. */
const READ_TIMEOUT = 3_600_000;

/** In seconds after the file's start. */
interface Packets {
  end: number;
  /** When the last one begins. */
  last: number;
}

/**
 * Where the chosen tracks end. An MP4's index says it exactly; of other files, and for a variable frame rate, the last packets are
 * read. A file that announces more than its packets hold was cut off.
 */
export async function measureEnds(
  tools: Tools,
  file: string,
  probe: MediaProbe,
  signal: AbortSignal,
): Promise<TrackEnds> {
  const { video, audio } = probe;
  const indexed = probe.format.startsWith('mov,') && (!video || video.endSeconds) && (!audio || audio.endSeconds);
  if (indexed && (!video || video.constantRate)) return defined({ video: video?.endSeconds, audio: audio?.endSeconds });
  const packets = await readPackets(tools, file, probe, signal);
  const pictures = video && packets.get(video.index);
  const sound = audio && packets.get(audio.index);
  const measured = Math.max(pictures?.end ?? 0, sound?.end ?? 0);
  if (measured === 0) throw new DropreelError('corrupt', 'The file announces tracks, but holds nothing of them.');
  checkComplete(probe, measured);
  const ends = indexed
    ? { video: video?.endSeconds, audio: audio?.endSeconds }
    : { video: pictures?.end, audio: sound?.end };
  const lastFrame = pictures && ends.video ? Math.max(0, ends.video - pictures.last) : undefined;
  return defined({ ...ends, lastFrame });
}

/** Sound files that say exactly how long they are; others guess it from the bit rate. */
const EXACT = /^(?:wav|w64|aiff|caf|flac|ape|wv|tta)$/;

// Containers round; half a second, or a hundredth, is no sign of a cut.
function checkComplete({ video, format, durationSeconds }: MediaProbe, measured: number): void {
  if (durationSeconds === undefined || (!video && !EXACT.test(format))) return;
  if (measured >= durationSeconds - Math.max(0.5, durationSeconds / 100)) return;
  const message = `The file is cut off: it announces ${durationSeconds.toFixed(1)} s and holds ${measured.toFixed(1)} s.`;
  throw new DropreelError('truncated', message);
}

/**
 * Of a film the last seconds are read, if seeking there finds every track; a file whose index was cut off is read whole, and so
 * are sound files, which are small.
 */
async function readPackets(
  tools: Tools,
  file: string,
  { video, audio, durationSeconds }: MediaProbe,
  signal: AbortSignal,
): Promise<Map<number, Packets>> {
  if (video && durationSeconds !== undefined && durationSeconds > 2 * TAIL_SECONDS) {
    const tail = await lastPackets(tools, file, durationSeconds - TAIL_SECONDS, signal);
    if (tail.has(video.index) && (!audio || tail.has(audio.index))) return tail;
  }
  return lastPackets(tools, file, undefined, signal);
}

async function lastPackets(
  tools: Tools,
  file: string,
  from: number | undefined,
  signal: AbortSignal,
): Promise<Map<number, Packets>> {
  const args = [
    ...['-v', 'error', ...confined()],
    ...(from === undefined ? [] : ['-read_intervals', `${from.toFixed(3)}%`]),
    ...['-show_entries', 'packet=stream_index,pts_time,duration_time:format=start_time', '-of', 'compact=p=0', file],
  ];
  const options = { ...PROBE_LIMITS, timeout: READ_TIMEOUT, reject: false, cancelSignal: signal } as const;
  const child = execa(tools.ffprobe, args, { ...options, buffer: false, stderr: 'ignore' });
  const packets = new Map<number, Packets>();
  let start = 0;
  for await (const line of child) {
    const field = (name: string) => Number.parseFloat(new RegExp(`(?:^|\\|)${name}=([-\\d.]+)`).exec(line)?.[1] ?? '');
    const index = field('stream_index');
    if (Number.isNaN(index)) start = field('start_time') || start;
    const begins = field('pts_time');
    const end = begins + (field('duration_time') || 0);
    const known = packets.get(index) ?? { end: Number.NEGATIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
    if (begins >= known.last) packets.set(index, { end: Math.max(known.end, end), last: begins });
  }
  signal.throwIfAborted();
  return new Map([...packets].map(([index, { end, last }]) => [index, { end: end - start, last: last - start }]));
}

function defined(ends: { [Key in keyof TrackEnds]: number | undefined }): TrackEnds {
  return Object.fromEntries(Object.entries(ends).filter(([, value]) => value !== undefined));
}
