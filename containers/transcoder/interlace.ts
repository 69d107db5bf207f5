import type { Readable } from 'node:stream';
import { type Combed, combedRuns, hasCombs, isSuspicious, type Look } from '../../core/media/interlace.ts';
import type { VideoTrack } from '../../core/media/probe.ts';
import { confined } from './ffmpeg/demuxers.ts';
import type { Tools } from './ffmpeg/run.ts';
import { end, outputOf, startStage } from './ffmpeg/stage.ts';
import type { Input } from './input/input.ts';

/** Lines of a picture with two fields: 480i, 576i, 1080i, and what is made of their like. */
const LINES = { least: 200, most: 1088 };
/** Codecs of progressive pictures only. */
const PROGRESSIVE = new Set(['vp8', 'vp9', 'av1', 'gif', 'apng', 'theora', 'flv1', 'h263', 'qtrle', 'svq1', 'svq3']);
/** Codecs of television and camcorders, whose files say little about their fields. */
const OFTEN_INTERLACED = new Set(['dvvideo', 'mpeg2video']);
/** Up to this length, in seconds, all pictures are looked at; of longer films, some at these many places, unless they show combs. */
const SHORT = 30;
const PLACES = 8;
const PICTURES_A_PLACE = 50;
/** Points that are looked at in each line. */
const COLUMNS = 160;

const LOOKS_FD = 3;
const FIELDS = new Map([
  ['tff', 'tff'],
  ['bff', 'bff'],
  ['progressive', 'progressive'],
] as const) as ReadonlyMap<string, Look['fields']>;

interface Source {
  tools: Tools;
  input: Input;
  track: VideoTrack;
  signal: AbortSignal;
}

/**
 * Finds the pictures of two moments by looking at them. What the stream says is no measure: camcorders and capture cards do not say it,
 * and broadcasts say it of films. It decodes the track, or a few places of it, once more, which costs up to a tenth of an encode.
 * @param seconds Length of the track
 */
export async function findCombed(source: Source, seconds: number): Promise<Combed> {
  const { track } = source;
  if (!mayBeCombed(track)) return [];
  if (isUnlikely(track, seconds) && !(await showsCombs(source, seconds))) return [];
  const { looks, restarted } = await look(source);
  // Pictures that change their size restart the filters that count.
  if (restarted) return track.interlaced ? 'flagged' : [];
  return combedRuns(looks, track.interlaced);
}

/** Whether that takes a while, and finds something in few films only. */
export function isLongShot(track: VideoTrack, seconds: number): boolean {
  return mayBeCombed(track) && isUnlikely(track, seconds);
}

function mayBeCombed({ coded: { height }, codec }: VideoTrack): boolean {
  return height >= LINES.least && height <= LINES.most && !PROGRESSIVE.has(codec);
}

function isUnlikely({ interlaced, codec }: VideoTrack, seconds: number): boolean {
  return seconds > SHORT && !interlaced && !OFTEN_INTERLACED.has(codec);
}

async function showsCombs(source: Source, seconds: number): Promise<boolean> {
  for (let place = 0; place < PLACES; place++) {
    const at = (seconds * (place + 0.5)) / PLACES;
    const { looks } = await look(source, { at, pictures: PICTURES_A_PLACE });
    if (isSuspicious(looks)) return true;
  }
  return false;
}

interface Seen {
  looks: Look[];
  /** Whether the pictures changed their size or format on the way. */
  restarted: boolean;
}

/** What cannot be decoded is not seen; the encode will tell. */
async function look({ tools, input, track, signal }: Source, part?: { at: number; pictures: number }): Promise<Seen> {
  signal.throwIfAborted();
  const key = 'lavfi.idet.single.current_frame';
  // One chain: with idet in a branch of its own, FFmpeg 7.1 aborts at the end (an assertion in its ffmpeg_filter.c) and loses pictures.
  const graph = [
    `[0:${track.index}]idet`,
    `metadata=mode=print:key=${key}:file=pipe\\\\:${LOOKS_FD}:direct=1`,
    `scale=${COLUMNS}:${track.coded.height}:flags=neighbor`,
    'format=gray[gray]',
  ].join(',');
  const args = [
    // Fields are lines of the picture as it is coded.
    ...['-v', 'quiet', ...confined(input.protocols), '-noautorotate', ...(part ? ['-ss', part.at.toFixed(3)] : [])],
    ...['-i', input.nameIn(input.directory)],
    ...['-filter_complex', graph, '-map', '[gray]', ...(part ? ['-frames:v', String(part.pictures)] : [])],
    ...['-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo', 'pipe:1'],
  ];
  const stage = await startStage(tools, args, input.directory, ['ignore', 'pipe', 'pipe', 'pipe']);
  const stop = () => end([stage]);
  signal.addEventListener('abort', stop);
  try {
    const [{ fields, restarted }, combs] = await Promise.all([
      readFields(outputOf(stage, LOOKS_FD)),
      readCombs(outputOf(stage, 1), COLUMNS * track.coded.height),
      stage.ended,
    ]);
    signal.throwIfAborted();
    return { looks: fields.map((what, i) => ({ fields: what, combed: combs[i] === true })), restarted };
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
  }
}

async function readFields(output: Readable): Promise<{ fields: Look['fields'][]; restarted: boolean }> {
  const fields: Look['fields'][] = [];
  let [rest, begun] = ['', 0];
  for await (const text of output.setEncoding('utf8')) {
    const lines = (rest + String(text)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (/^frame:0\s/.test(line)) begun += 1;
      if (line.startsWith('frame:')) continue;
      fields.push(FIELDS.get(line.slice(line.indexOf('=') + 1)) ?? 'undetermined');
    }
  }
  return { fields, restarted: begun > 1 };
}

async function readCombs(output: AsyncIterable<Buffer>, bytes: number): Promise<boolean[]> {
  const combs: boolean[] = [];
  let parts: Buffer[] = [];
  let [have, previous] = [0, undefined as Buffer | undefined];
  for await (const chunk of output) {
    parts.push(chunk);
    have += chunk.length;
    if (have < bytes) continue;
    const all = Buffer.concat(parts);
    let from = 0;
    for (; from + bytes <= all.length; from += bytes) {
      const picture = all.subarray(from, from + bytes);
      combs.push(previous !== undefined && hasCombs(picture, previous, COLUMNS));
      previous = picture;
    }
    parts = [all.subarray(from)];
    have = all.length - from;
  }
  return combs;
}
