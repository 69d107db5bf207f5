import { DropreelError } from '../../core/contracts/errors.ts';
import { type Warning, warning } from '../../core/contracts/warnings.ts';
import { checkEnd } from '../../core/media/decoded.ts';
import type { TrackEnds } from '../../core/media/encode-plan.ts';
import { type Fraction, hasJoints, type MediaProbe } from '../../core/media/probe.ts';
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
  const reader = { tools, input, mayJoin: hasJoints(probe.format), signal };
  if (indexed && (!video || video.constantRate)) {
    // An index that counts no samples is that of a file in fragments, or of a track without any.
    const { held, said } = video?.mayBeEmpty || audio?.mayBeEmpty ? await readToTheEnd(reader, probe) : {};
    const ends = { ...defined({ video: video?.endSeconds, audio: audio?.endSeconds }), indexed };
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
  const videoStart = indexed || !video ? undefined : await startOf(reader, video.index);
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
 * of a group of pictures on shows nothing before the next group: the time of its first picture is the one that a decoder gives.
 */
async function startOf(reader: Reader, track: number): Promise<number | undefined> {
  const first = ['-select_streams', String(track), '-read_intervals', `%+#${HEAD_PACKETS}`];
  const clock = new PacketClock(reader.mayJoin);
  let beginsWithKey: boolean | undefined;
  const { fileStart } = await eachPacket(reader, first, (packet) => {
    beginsWithKey ??= packet.key;
    clock.add(packet);
  });
  const shown = beginsWithKey === false ? await firstShown(reader, track) : undefined;
  return shown === undefined ? clock.tracks(fileStart).get(track)?.start : shown - fileStart;
}

/** Seconds from which the rate of pictures is measured. */
const RATE_SECONDS = 20;

/**
 * How many pictures there are a second, measured. Recorders that write times in milliseconds without a rate (Matroska, WebM, FLV) make
 * FFmpeg take the clock for the rate: 1000. Undefined for a single picture.
 */
export async function measureRate(
  tools: Tools,
  input: Input,
  { format, video }: MediaProbe,
  signal: AbortSignal,
): Promise<Fraction | undefined> {
  if (!video) return undefined;
  const first = ['-select_streams', String(video.index), '-read_intervals', `%+${RATE_SECONDS}`];
  const { tracks } = await readPackets({ tools, input, mayJoin: hasJoints(format), signal }, first);
  const { start, last, count } = tracks.get(video.index) ?? { start: 0, last: 0, count: 0 };
  if (count < 2 || last <= start) return undefined;
  return { num: Math.round(((count - 1) / (last - start)) * 1000), den: 1000 };
}

async function readPackets(reader: Reader, which: string[] = []): Promise<Packets> {
  const clock = new PacketClock(reader.mayJoin);
  const last = new Map<number, number>();
  const { fileStart, said } = await eachPacket(reader, which, (packet) => {
    clock.add(packet);
    last.set(packet.track, packet.dts);
  });
  const { joined, stepsBack, pause } = clock;
  // At a joint, where the counters begin anew, others follow.
  const isLast = ([track, at]: [number, number]) => Math.abs(at - (last.get(track) ?? Number.NaN)) < CLOCK_SECONDS;
  const endless = joined ? [] : [...said.lastGaps].filter(isLast).map(([track]) => track);
  return { tracks: clock.tracks(fileStart), joined, stepsBack, pause, said, endless };
}

function defined(ends: { [Key in keyof TrackEnds]: number | undefined }): TrackEnds {
  return Object.fromEntries(Object.entries(ends).filter(([, value]) => value !== undefined));
}
