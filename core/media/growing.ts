import { z } from 'zod';
import type { AudioGroup, Rendition } from '../contracts/job.ts';
import { type EncodePlan, streamed } from './encode-plan.ts';
import { HLS_VERSION } from './master-playlist.ts';
import type { MediaPlaylist } from './media-playlist.ts';
import { PieceRendition } from './piece.ts';

/**
 * A version that grows while its film is encoded: playlists of the type EVENT, to which segments are only ever added (RFC 8216, 4.3.3.5 and
 * 6.2.1). docs/decisions/0403-growing-versions.md
 */

/** Segments of a list that one step added, of one file. */
const Run = PieceRendition.omit({ file: true, codec: true }).extend({
  step: z.number().int().positive(),
  /** Of the file, as seen from the playlist. */
  uri: z.string(),
  init: PieceRendition.shape.init.optional(),
  segments: z.array(PieceRendition.shape.segments.element.partial({ offset: true, bytes: true })),
});

/**
 * `growing.json` in the folder of a growing version: all that its playlists say, and since which step. It is replaced before they are, only as
 * it was read. A playlist of a step replaces exactly that of the step before.
 */
export const Growth = z.object({
  /** From 1. */
  step: z.number().int().positive(),
  /** The text of its master playlist, as it lies beside it. */
  master: z.string(),
  /** EXT-X-TARGETDURATION of all its playlists, which must not change. */
  target: z.number().int().positive(),
  /** What is taken next: of the sound and of the first chunk a piece, by its number; of the others all. */
  next: z.object({
    chunk: z.number().int().nonnegative(),
    piece: z.number().int().nonnegative(),
    soundPiece: z.number().int().nonnegative(),
  }),
  /** In the order in which they are written: sound first, then the rungs from the smallest. */
  lists: z.array(z.object({ file: z.string(), isSound: z.boolean(), runs: z.array(Run) })),
  /** The step that gave them their end. */
  ended: z.number().int().positive().optional(),
});
export type Growth = z.infer<typeof Growth>;
type List = Growth['lists'][number];

/** Where a growing version begins. */
export function beginGrowth(
  plan: Pick<EncodePlan, 'video' | 'audio' | 'segmentSeconds'>,
): Omit<Growth, 'step' | 'master'> {
  const rungs = new Set((plan.video?.rungs ?? []).map(({ name }) => name));
  const lists = streamed(plan)
    .toReversed()
    .map((file) => ({ file, isSound: !rungs.has(file), runs: [] }));
  return {
    target: plan.segmentSeconds,
    next: { chunk: 0, piece: 0, soundPiece: 0 },
    lists: [...lists.filter(({ isSound }) => isSound), ...lists.filter(({ isSound }) => !isSound)],
  };
}

/** Segments that begin so many seconds from where they are expected do: times of the two playlists are rounded. */
const NEAR = 0.05;

/** Up to where a list is, in seconds. */
function endOf({ runs }: List): number {
  const last = runs.at(-1)?.segments.at(-1);
  return last ? last.at + last.seconds : 0;
}

/** Up to where its pictures, its sound, and both can be played, in seconds. */
export function playableSeconds({ lists }: Pick<Growth, 'lists'>): { pictures: number; sound: number; both: number } {
  const least = (some: readonly List[]) => Math.min(...some.map(endOf));
  const [sound, pictures] = [lists.filter((list) => list.isSound), lists.filter((list) => !list.isSound)];
  return { pictures: least(pictures), sound: least(sound), both: least(lists) };
}

/** A file whose segments are to be added, where the playlists see it. */
export interface Addition {
  uri: string;
  renditions: readonly PieceRendition[];
}

/**
 * The next step: what follows in each list where it ends. What a list has is left out, and all from a gap on, or from a segment that is longer
 * than the target duration allows.
 * @returns null where nothing follows in any list
 */
export function extended(
  growth: Omit<Growth, 'step'> & { step?: number },
  additions: readonly Addition[],
  next: Growth['next'],
): Growth | null {
  const step = (growth.step ?? 0) + 1;
  const lists = growth.lists.map((list) => {
    let grown = list;
    for (const { uri, renditions } of additions) {
      for (const { init, segments } of renditions.filter(({ file }) => file === list.file)) {
        const fitting = following(endOf(grown), segments, growth.target);
        if (fitting.length > 0) grown = { ...grown, runs: [...grown.runs, { step, uri, init, segments: fitting }] };
      }
    }
    return grown;
  });
  return lists.some((list, i) => list !== growth.lists[i]) ? { ...growth, step, next, lists } : null;
}

function following<Segment extends { at: number; seconds: number }>(
  end: number,
  segments: readonly Segment[],
  target: number,
): Segment[] {
  const found: Segment[] = [];
  let at = end;
  for (const segment of segments) {
    if (segment.at < at - NEAR) continue;
    if (segment.at > at + NEAR || Math.round(segment.seconds) > target) break;
    found.push(segment);
    at = segment.at + segment.seconds;
  }
  return found;
}

/**
 * The last step: the rest is in the files of the whole version, and each playlist has its end.
 * @param playlists of the whole version, by the names of their renditions
 * @param prefix of its files, as seen from the growing playlists
 */
export function finished(growth: Growth, playlists: ReadonlyMap<string, MediaPlaylist>, prefix: string): Growth {
  const step = growth.step + 1;
  const lists = growth.lists.map((list): List => {
    const whole = playlists.get(list.file);
    if (!whole) return list;
    const end = endOf(list);
    let at = 0;
    const rest = whole.segments.flatMap(({ durationSeconds: seconds, range }) => {
      const segment = { at, seconds, ...range };
      at += seconds;
      return segment.at >= end - NEAR ? [segment] : [];
    });
    if (rest.length === 0) return list;
    const { uri, range } = whole.init;
    return { ...list, runs: [...list.runs, { step, uri: `${prefix}${uri}`, init: range, segments: rest }] };
  });
  return { ...growth, step, lists, ended: step };
}

/** The text of a playlist as it is after a step; null where there is none yet. */
export function growingPlaylist(growth: Growth, file: string, step: number): string | null {
  const runs = growth.lists.find((list) => list.file === file)?.runs.filter((run) => run.step <= step) ?? [];
  if (runs.length === 0) return null;
  const isEnded = growth.ended !== undefined && growth.ended <= step;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${HLS_VERSION}`,
    `#EXT-X-TARGETDURATION:${growth.target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:EVENT',
    '#EXT-X-START:TIME-OFFSET=0',
    ...runs.flatMap(({ uri, init, segments }) => [
      `#EXT-X-MAP:URI="${uri}"${init ? `,BYTERANGE="${init.bytes}@${init.offset}"` : ''}`,
      ...segments.flatMap(({ seconds, offset, bytes }) => [
        `#EXTINF:${seconds.toFixed(6)},`,
        ...(bytes === undefined ? [] : [`#EXT-X-BYTERANGE:${bytes}@${offset}`]),
        uri,
      ]),
    ]),
    ...(isEnded ? ['#EXT-X-ENDLIST'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** By how much a segment may exceed the cap of its rung: x264 begins with a full buffer, of two seconds. */
const OVER_CAP = (segmentSeconds: number) => (segmentSeconds + 2) / segmentSeconds;
/** AAC at a constant rate, with the boxes around it. */
const OVER_SOUND = 1.1;

/**
 * What the master playlist of a growing version says of its renditions. Their rates are bounds, because not all segments exist (RFC 8216,
 * 4.3.4.2). Captions that the source may have are not said, nor that there are none.
 * @param codecs of each rendition
 */
export function growingStreams(
  plan: Pick<EncodePlan, 'video' | 'audio' | 'segmentSeconds' | 'durationSeconds'>,
  codecs: ReadonlyMap<string, string>,
): { audio: AudioGroup[]; renditions: Rendition[]; captions?: boolean } {
  const { audio, video, segmentSeconds, durationSeconds } = plan;
  const length = { bytes: 0, durationSeconds };
  const groups = (audio?.renditions ?? [])
    .filter(({ streamed: isStreamed, file }) => isStreamed && codecs.has(file))
    .map(({ name, file, bitrate }) => ({
      name,
      group: {
        ...{ id: file, playlist: `${file}.m3u8`, codecs: codecs.get(file) ?? '', channels: audio?.channels ?? 2 },
        ...(audio?.language !== undefined && { language: audio.language }),
        ...{ bandwidth: Math.ceil(bitrate * OVER_SOUND), averageBandwidth: Math.ceil(bitrate * OVER_SOUND), ...length },
      },
    }));
  const renditions = (video?.rungs ?? []).map((rung): Rendition => {
    const sound = groups.find(({ name }) => name === rung.audio)?.group;
    const own = codecs.get(rung.name) ?? '';
    const peak = Math.ceil(rung.maxBitrate * OVER_CAP(segmentSeconds));
    const { frameRate } = video ?? {};
    return {
      ...{ name: rung.name, playlist: `${rung.name}.m3u8`, width: rung.width, height: rung.height },
      ...(frameRate && { frameRate: frameRate.num / frameRate.den }),
      codecs: sound ? `${own},${sound.codecs}` : own,
      bandwidth: peak + (sound?.bandwidth ?? 0),
      averageBandwidth: rung.maxBitrate + (sound?.averageBandwidth ?? 0),
      ...(sound && { audio: sound.id }),
      ...length,
    };
  });
  return { audio: groups.map(({ group }) => group), renditions, ...(!video?.captions && { captions: false }) };
}
