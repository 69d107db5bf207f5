import { DropreelError } from '../../core/contracts/errors.ts';
import { type Warning, warning } from '../../core/contracts/warnings.ts';
import { checkEnd } from '../../core/media/decoded.ts';
import type { TrackEnds } from '../../core/media/encode-plan.ts';
import { LONG_GAP_SECONDS } from '../../core/media/plan.ts';
import { type Fraction, hasJoints, type MediaProbe, type VideoTrack } from '../../core/media/probe.ts';
import type { Complaints } from './ffmpeg/complaints.ts';
import type { Tools } from './ffmpeg/run.ts';
import type { Input } from './input/input.ts';
import { PacketClock, type TrackTimes } from './packets.ts';
import { eachPacket, firstShown, type Source } from './read-packets.ts';

/** How far before the announced end the packets are read, in seconds. */
const TAIL_SECONDS = 10;
/** More than ffprobe rounds times, less than any packet lasts. */
const CLOCK_SECONDS = 0.0005;
/** A track's first packet in presentation order is among this many. */
const HEAD_PACKETS = 16;

/** Formats of pictures that may move. */
const ANIMATIONS = new Set(['gif', 'apng']);

interface Packets {
  tracks: ReadonlyMap<number, TrackTimes>;
  joined: boolean;
  stepsBack: boolean;
  pause: number;
  /** Indexes of the tracks that hold packets; absent where not all of the file was read. */
  held?: ReadonlySet<number> | undefined;
  /** What FFmpeg complained of while it read them. */
  said: Complaints;
  /** Tracks of a transport stream whose end is missing, by the counters of its packets. */
  endless: readonly number[];
}

export interface Measured extends Pick<Packets, 'held'> {
  ends: TrackEnds;
  /** Absent where no packets were read. */
  said: Complaints | undefined;
  warnings: Warning[];
}

/**
 * Measures where the chosen tracks begin and end. An MP4's index states it exactly; for other files, and for a variable frame rate,
 * packets are read.
 * @throws DropreelError `truncated` for a file that announces much more than its packets hold
 */
export async function measureEnds(
  tools: Tools,
  input: Input,
  probe: MediaProbe,
  signal: AbortSignal,
): Promise<Measured> {
  const { video, audio } = probe;
  const hasEnds = (!video || video.endSeconds) && (!audio || audio.endSeconds);
  const indexed = probe.format.startsWith('mov,') && Boolean(hasEnds);
  const reader = readerOf(tools, input, probe, signal);
  if (indexed && (!video || video.constantRate)) {
    // An index that counts no samples is that of a file in fragments, or of a track without any.
    const { held, said } = video?.mayBeEmpty || audio?.mayBeEmpty ? await readToTheEnd(reader, probe) : {};
    const videoStart = await startOf(reader, video, indexed);
    const ends = { ...defined({ video: video?.endSeconds, audio: audio?.endSeconds, videoStart }), indexed };
    return { ends, held, said, warnings: [] };
  }
  const { tracks, joined, stepsBack, pause, held, said, endless } = await readToTheEnd(reader, probe);
  const pictures = video && tracks.get(video.index);
  const sound = audio && tracks.get(audio.index);
  if (!pictures && !sound) return { ends: {}, held, said, warnings: [] };
  if (ANIMATIONS.has(probe.format) && pictures?.count === 1) {
    throw new DropreelError('still_image', 'The file is a picture that does not move, not video or audio.');
  }
  const furthest = Math.max(...[...tracks.values()].map(({ end, open }) => end + open));
  const isTaken = (track: number) => [video?.index, audio?.index, audio?.right].includes(track);
  const warnings = [...(stepsBack ? [] : missingEnd(probe, furthest)), ...(endless.some(isTaken) ? [LOST_END] : [])];
  const ends = indexed
    ? { video: video?.endSeconds, audio: audio?.endSeconds }
    : { video: pictures && endOfPictures(pictures, probe), audio: sound && endOfSound(sound, probe) };
  const lastFrame = pictures && ends.video ? Math.max(0, ends.video - pictures.last) : undefined;
  const videoStart = await startOf(reader, video, indexed);
  const measured = {
    ...defined({ ...ends, lastFrame, videoStart }),
    indexed,
    ...(joined ? { joined } : {}),
    ...(pause > 0 ? { pause } : {}),
  };
  return { ends: measured, held, said, warnings };
}

/** Audio formats that state their exact length; others estimate it from the bit rate. */
const EXACT = /^(?:wav|w64|aiff|au|caf|flac|ape|wv|tta|mpc8|matroska,webm|asf)$/;

/**
 * Of codecs with long frames the last one is shorter than its packet says: of TTA, which has frames of a second, in Matroska. Packets of WMA
 * Voice do not say how long they last, and those of a WAV of an unknown codec no time at all. The announced length then says where it ends.
 */
function endOfSound({ last, end, open }: TrackTimes, { format, durationSeconds = 0 }: MediaProbe): number {
  return EXACT.test(format) && durationSeconds > last - CLOCK_SECONDS ? Math.min(end + open, durationSeconds) : end;
}

/** A single picture that does not say how long it lasts stays as long as the film. */
function endOfPictures({ end, open }: TrackTimes, { durationSeconds = 0 }: MediaProbe): number {
  return open === Number.POSITIVE_INFINITY ? Math.max(end, durationSeconds) : end;
}

const LOST_END = warning(
  'end_missing',
  'The last packets of the transport stream are missing, or their heads are damaged.',
);

// All tracks count: subtitles, or a second audio track, may be longer than what is encoded.
function missingEnd({ video, format, durationSeconds }: MediaProbe, measured: number): Warning[] {
  if (durationSeconds === undefined || (!video && !EXACT.test(format)) || hasJoints(format)) return [];
  return checkEnd(durationSeconds, measured);
}

interface Reader extends Source {
  mayJoin: boolean;
  /** When the file begins, in seconds of its packets' clock. */
  fileStart: number;
}

function readerOf(tools: Tools, input: Input, { format, startSeconds }: MediaProbe, signal: AbortSignal): Reader {
  return { tools, input, mayJoin: hasJoints(format), fileStart: startSeconds, signal };
}

/**
 * Reads the last seconds of a film, if seeking there finds every track. A file whose index was cut off is read whole, and so are audio
 * files, which are small, and files that may be joined from several.
 */
async function readToTheEnd(reader: Reader, { video, audio, durationSeconds }: MediaProbe): Promise<Packets> {
  if (video && !reader.mayJoin && durationSeconds !== undefined && durationSeconds > 2 * TAIL_SECONDS) {
    const tail = await readPackets(reader, ['-read_intervals', `${(durationSeconds - TAIL_SECONDS).toFixed(3)}%`]);
    if (tail.tracks.has(video.index) && (!audio || tail.tracks.has(audio.index))) return tail;
  }
  const all = await readPackets(reader);
  return { ...all, held: new Set(all.tracks.keys()) };
}

/**
 * Many containers do not state when a track begins, and FFmpeg then assumes the file's start. A broadcast that was recorded from the middle
 * of a group of pictures on shows nothing before the next group, and one from an open group on nothing of the pictures that lead it: the
 * time of its first picture is the one that a decoder gives. It counts where what comes before it is filled.
 */
async function startOf(reader: Reader, video: VideoTrack | undefined, indexed: boolean): Promise<number | undefined> {
  if (!video || (indexed && video.startSeconds < LONG_GAP_SECONDS)) return undefined;
  const track = video.index;
  const first = ['-select_streams', String(track), '-read_intervals', `%+#${HEAD_PACKETS}`];
  const clock = new PacketClock(reader.mayJoin);
  let beginsWithKey: boolean | undefined;
  await eachPacket(reader, first, (packet) => {
    beginsWithKey ??= packet.key;
    clock.add(packet);
  });
  const start = clock.tracks(reader.fileStart).get(track)?.start;
  const isLate = start !== undefined && start >= LONG_GAP_SECONDS;
  const shown = beginsWithKey === false || isLate ? await firstShown(reader, track) : undefined;
  return shown === undefined ? start : shown - reader.fileStart;
}

const RATE_SECONDS = 20;

/**
 * How many pictures there are a second, measured. Recorders that write times in milliseconds without a rate (Matroska, WebM, FLV) make
 * FFmpeg take the clock for the rate: 1000. Undefined for a single picture.
 */
export async function measureRate(
  tools: Tools,
  input: Input,
  probe: MediaProbe,
  signal: AbortSignal,
): Promise<Fraction | undefined> {
  const { video } = probe;
  if (!video) return undefined;
  const first = ['-select_streams', String(video.index), '-read_intervals', `%+${RATE_SECONDS}`];
  const { tracks } = await readPackets(readerOf(tools, input, probe, signal), first);
  const { start, last, count } = tracks.get(video.index) ?? { start: 0, last: 0, count: 0 };
  if (count < 2 || last <= start) return undefined;
  return { num: Math.round(((count - 1) / (last - start)) * 1000), den: 1000 };
}

async function readPackets(reader: Reader, which: string[] = []): Promise<Packets> {
  const clock = new PacketClock(reader.mayJoin);
  const last = new Map<number, number>();
  const { said } = await eachPacket(reader, which, (packet) => {
    clock.add(packet);
    last.set(packet.track, packet.dts);
  });
  const { joined, stepsBack, pause } = clock;
  // At a joint, where the counters begin anew, others follow.
  const isLast = ([track, at]: [number, number]) => Math.abs(at - (last.get(track) ?? Number.NaN)) < CLOCK_SECONDS;
  const endless = joined ? [] : [...said.lastGaps].filter(isLast).map(([track]) => track);
  return { tracks: clock.tracks(reader.fileStart), joined, stepsBack, pause, said, endless };
}

function defined(ends: { [Key in keyof TrackEnds]: number | undefined }): TrackEnds {
  return Object.fromEntries(Object.entries(ends).filter(([, value]) => value !== undefined));
}
