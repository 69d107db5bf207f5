import { type MeasuredSegment, peakOf } from '../bandwidth.ts';
import type { Run } from './init.ts';
import { numberOf, type Playlist, type Tag, tagOf } from './playlist.ts';
import {
  hasPictures,
  isKeyframes,
  type MediaFile,
  type Problem,
  problem,
  type Rule,
  type Stream,
  soundAndPictures,
  totalSeconds,
} from './stream.ts';

/** What the segments are, against what the playlists say. */

export const MEASURED_RULES: readonly Rule[] = [
  {
    id: 'reachable',
    source: 'RFC 8216, 6.2.1',
    level: 'must',
    title: 'Each URI names something that can be had, whole',
    check: ({ master, media, missing }) => [
      ...missing.map(({ tag, uri, why }) => {
        if (!master) throw new Error('A playlist is missing that nothing names.');
        return problem(master.playlist, tag.line, `${uri}: ${why}`, 'a playlist');
      }),
      ...media.flatMap(({ playlist, initProblem, segments }) => [
        ...(initProblem
          ? [problem(playlist, playlist.segments[0]?.map?.line ?? 1, initProblem, 'an init segment')]
          : []),
        ...segments.flatMap(({ missing: why, unreadable }, i) => {
          const found = why ?? unreadable;
          return found ? [problem(playlist, playlist.segments[i]?.line ?? 1, found, 'the segment')] : [];
        }),
      ]),
    ],
  },
  {
    id: 'starts-with-keyframe',
    source: 'Apple 7.4',
    level: 'must',
    title: 'Each segment of pictures starts with a keyframe',
    check: (stream) =>
      segmentsOfPictures(stream).flatMap(({ playlist, line, runs }) =>
        runs[0]?.startsWithSync === false
          ? [problem(playlist, line, 'it starts with another picture', 'a keyframe')]
          : [],
      ),
  },
  {
    id: 'iframe-whole',
    source: 'RFC 8216, 4.3.3.6; Apple 6.10',
    level: 'must',
    title: 'Each entry of an I-frame playlist of fMP4 has its moof, and the whole keyframe',
    check: ({ media }) =>
      media.filter(isKeyframes).flatMap(({ playlist, segments }) =>
        segments.flatMap(({ runs, holdsFirst }, i) => {
          const line = playlist.segments[i]?.line ?? 1;
          if (runs?.length === 0)
            return [problem(playlist, line, 'no moof', 'from the moof to the end of its keyframe')];
          return holdsFirst === false ? [problem(playlist, line, 'its keyframe is cut off', 'the whole keyframe')] : [];
        }),
      ),
  },
  {
    id: 'keyframes-every-2s',
    source: 'Apple 1.13',
    level: 'should',
    title: 'Keyframes are at most two seconds apart',
    check: (stream) =>
      segmentsOfPictures(stream).flatMap(({ playlist, line, runs, whole }) => {
        const syncs = runs.flatMap((run) => run.syncs);
        const ends = whole ? [Math.max(...runs.map(({ shownTo }) => shownTo))] : [];
        const gaps = [...syncs, ...ends].map((time, i, all) => time - (all[i - 1] ?? time));
        const longest = Math.max(0, ...gaps);
        // A picture that stands still for longer cannot have a keyframe within it.
        const allowed = 2 + Math.max(0, ...runs.map((run) => Math.max(frameOf(run), run.longest, run.last)));
        return longest > allowed ? [problem(playlist, line, `${longest.toFixed(3)} s between two`, 'at most 2 s')] : [];
      }),
  },
  {
    id: 'durations-as-announced',
    source: 'Apple 8.1',
    level: 'must',
    title: 'What EXTINF says, added up, is within one frame of what the segments last',
    check: ({ media }) => media.flatMap(durationProblems),
  },
  {
    id: 'not-over-target',
    source: 'Apple 7.7',
    level: 'must',
    title: 'No segment lasts more than half a second over the target duration',
    check: ({ media }) =>
      media.flatMap((file) => {
        const target = numberOf(tagOf(file.playlist, '#EXT-X-TARGETDURATION')?.value);
        return lengths(file).flatMap((seconds, i) => {
          if (seconds === undefined || !(seconds > target + 0.5)) return [];
          const line = file.playlist.segments[i]?.line ?? 1;
          return [problem(file.playlist, line, `${seconds.toFixed(3)} s`, `at most ${target + 0.5} s`)];
        });
      }),
  },
  {
    id: 'continuous',
    source: 'Apple 7.3',
    level: 'must',
    title: 'Each segment begins where the one before ends',
    check: (stream) => soundAndPictures(stream).flatMap(gaps),
  },
  {
    id: 'same-boundaries',
    source: 'Apple 8.22',
    level: 'should',
    title: 'All playlists of pictures and sound are cut at the same times, within one frame of each',
    departure:
      'Where a picture stands still its next segment begins with the next picture; sound is cut at multiples of 6 s, to the frame.',
    check: (stream) => againstFirst(stream, soundAndPictures(stream), boundaryProblem),
  },
  {
    id: 'same-duration',
    source: 'RFC 8216, 6.2.4; Apple 8.3 and 8.7',
    level: 'must',
    title: 'All playlists of pictures, sound and I-frames last the same time, within one frame of each',
    departure: 'Sound and pictures end when the source ends them: neither silence nor pictures are made up.',
    check: (stream) =>
      againstFirst(
        stream,
        [...soundAndPictures(stream), ...stream.media.filter(isKeyframes)],
        (playlist, first, frame) => {
          const [found, right] = [totalSeconds(playlist), totalSeconds(first)];
          if (Math.abs(found - right) <= frame) return [];
          return [problem(playlist, 1, `${found.toFixed(3)} s`, `${right.toFixed(3)} s, as ${first.name}`)];
        },
      ),
  },
  {
    id: 'bandwidth',
    source: 'RFC 8216, 4.1 and 4.3.4.2; Apple 1.27, 6.9 and 9.13',
    level: 'must',
    title: 'BANDWIDTH is the measured peak of the variant with its largest sound, or of the I-frames, within 10 %',
    check: (stream) => rateProblems(stream, 'BANDWIDTH', peakRate),
  },
  {
    id: 'average-bandwidth',
    source: 'RFC 8216, 4.3.4.2; Apple 1.26',
    level: 'must',
    title:
      'AVERAGE-BANDWIDTH is the measured average of the variant with its largest sound, or of the I-frames, within 10 %',
    check: (stream) => rateProblems(stream, 'AVERAGE-BANDWIDTH', averageRate),
  },
  {
    id: 'peak-below-200-percent',
    source: 'Apple 1.30',
    level: 'should',
    title: 'The peak is at most twice the average',
    departure:
      'Quality is constant, and the peak capped: a film with quiet and busy scenes has less on average than half its peak.',
    check: ({ master }) =>
      (master?.playlist.variants ?? []).flatMap((tag) => {
        const [peak, average] = ['BANDWIDTH', 'AVERAGE-BANDWIDTH'].map((name) => numberOf(tag.attributes.get(name)));
        if (!master || peak === undefined || average === undefined || !(peak > average * 2)) return [];
        return [problem(master.playlist, tag.line, `${peak} of ${average} bit/s`, `at most ${average * 2}`)];
      }),
  },
];

/** Runs of the pictures, or where there are none of the first track. */
function mainRuns(runs: readonly Run[] = []): Run[] {
  const main = runs.find(({ track }) => track.kind === 'video')?.track ?? runs[0]?.track;
  return runs.filter(({ track }) => track.id === main?.id);
}

/**
 * How long each segment is shown: to the beginning of the next, where it is known and is its continuation. The last of an I-frame playlist
 * is shown to the end of the presentation, which it does not tell.
 */
function lengths({ playlist, segments }: MediaFile): (number | undefined)[] {
  const ends = segments.map(({ runs, whole }) => {
    const own = mainRuns(runs);
    if (!whole || own.length === 0) return undefined;
    return { from: Math.min(...own.map((run) => run.shownFrom)), to: Math.max(...own.map((run) => run.shownTo)) };
  });
  return ends.map((own, i) => {
    const next = playlist.segments[i + 1]?.discontinuity ? undefined : ends[i + 1];
    return own && (next || !isKeyframes({ playlist }) ? (next?.from ?? own.to) - own.from : undefined);
  });
}

/** Mean duration of one sample, in seconds. */
function frameOf({ duration, samples }: Run): number {
  return samples > 0 ? duration / samples : 0;
}

function segmentsOfPictures(stream: Stream) {
  return stream.media.filter(hasPictures).flatMap(({ playlist, segments }) =>
    segments.flatMap(({ runs = [], whole = false }, i) => {
      const own = runs.filter(({ track }) => track.kind === 'video');
      return own.length > 0 ? [{ playlist, line: playlist.segments[i]?.line ?? 1, runs: own, whole }] : [];
    }),
  );
}

function durationProblems(file: MediaFile): Problem[] {
  let off = 0;
  // The last sample of sound may be shorter than its frame.
  // Where their rate trembles, the last one may be longer than the others are on average; one that stands still counts for two of them.
  const picture = (run: Run) => Math.max(frameOf(run), Math.min(run.last, 2 * frameOf(run)));
  const frameIn = (run: Run) => (run.track.kind === 'video' ? picture(run) : Math.max(frameOf(run), run.longest));
  const frame = Math.max(...file.segments.flatMap(({ runs }) => mainRuns(runs).map(frameIn)));
  for (const [i, seconds] of lengths(file).entries()) {
    const said = file.playlist.segments[i];
    if (seconds === undefined || !said) return [];
    off += said.seconds - seconds;
    // A microsecond for what was rounded.
    if (Math.abs(off) <= frame + 1e-6 * (i + 1)) continue;
    const found = `${said.seconds} s; ${off.toFixed(3)} s off by here`;
    return [problem(file.playlist, said.line, found, `${seconds.toFixed(6)} s`)];
  }
  return [];
}

function gaps({ playlist, segments }: MediaFile): Problem[] {
  let end: number | undefined;
  return segments.flatMap(({ runs, whole }, i) => {
    const own = mainRuns(runs);
    const [first] = own;
    const said = playlist.segments[i];
    const expected = said?.discontinuity ? undefined : end;
    const last = own.at(-1);
    end = whole && last ? last.start + last.duration : undefined;
    // Ticks differ from track to track; a millisecond is below any of a frame.
    if (!first || !said || expected === undefined || Math.abs(first.start - expected) < 0.001) return [];
    return [problem(playlist, said.line, `it begins at ${first.start.toFixed(3)} s`, `${expected.toFixed(3)} s`)];
  });
}

function againstFirst(
  stream: Stream,
  files: readonly MediaFile[],
  check: (playlist: Playlist, first: Playlist, frame: number) => Problem[],
): Problem[] {
  const first = files.find(hasPictures) ?? files[0];
  if (!first) return [];
  return files
    .filter((file) => file !== first)
    .flatMap((file) => check(file.playlist, first.playlist, frameSeconds(stream)));
}

function boundaryProblem(playlist: Playlist, first: Playlist, frame: number): Problem[] {
  let at = 0;
  let right = 0;
  for (const [i, { line, seconds }] of playlist.segments.entries()) {
    const other = first.segments[i];
    if (!other || Math.abs(at - right) > frame) {
      const expected = other
        ? `${right.toFixed(3)} s, as ${first.name}`
        : `${first.segments.length} segments, as ${first.name}`;
      return [problem(playlist, line, `segment ${i + 1} begins at ${at.toFixed(3)} s`, expected)];
    }
    at += seconds;
    right += other.seconds;
  }
  const missing = first.segments.length - playlist.segments.length;
  return missing > 0 ? [problem(playlist, 1, `${playlist.segments.length} segments`, `${first.segments.length}`)] : [];
}

/** The longest frame of pictures and that of sound, added: cuts of both lie between two frames of their own. */
function frameSeconds({ master, media }: Stream): number {
  const said = (master?.playlist.variants ?? []).map(({ attributes }) => 1 / numberOf(attributes.get('FRAME-RATE')));
  const longest = (files: MediaFile[]) =>
    Math.max(0, ...files.flatMap(({ segments }) => mainRuns(segments[0]?.runs).map(frameOf)));
  const pictures = Math.max(longest(media.filter(hasPictures)), ...said.filter((seconds) => seconds > 0));
  const sound = longest(media.filter((file) => !hasPictures(file)));
  // Without any, a frame of film. Playlists are rounded.
  return (pictures + sound || 1 / 24) + 1e-3;
}

/** The variant's own rate and that of the largest member of each of its groups. Null where not every segment was measured. */
function measuredRate(
  { master, media }: Stream,
  variant: Tag,
  rate: (file: MediaFile) => number | null,
): number | null {
  const own = media.find(({ namedBy }) => namedBy.includes(variant));
  const rates = [own ? rate(own) : null];
  for (const type of ['AUDIO', 'SUBTITLES']) {
    const group = variant.attributes.get(type);
    const exists = master?.playlist.renditions.some(({ attributes }) => attributes.get('GROUP-ID') === group);
    if (group !== undefined && !exists) return null;
    const members = media.filter(
      (file) =>
        file !== own &&
        file.namedBy.some(({ attributes }) => attributes.get('TYPE') === type && attributes.get('GROUP-ID') === group),
    );
    const found = members.map(rate);
    if (found.length > 0) rates.push(found.includes(null) ? null : Math.max(...found.map(Number)));
  }
  return rates.includes(null) ? null : rates.reduce<number>((sum, one) => sum + Number(one), 0);
}

function rateProblems(stream: Stream, name: string, rate: (file: MediaFile) => number | null): Problem[] {
  const { master } = stream;
  return [...(master?.playlist.variants ?? []), ...(master?.playlist.iframes ?? [])].flatMap((tag) => {
    const found = numberOf(tag.attributes.get(name));
    const right = measuredRate(stream, tag, rate);
    if (!master || Number.isNaN(found) || right === null || Math.abs(found - right) <= right * 0.1) return [];
    return [problem(master.playlist, tag.line, `${name}=${found}`, `${Math.ceil(right)}, as measured, within 10 %`)];
  });
}

function sizes({ playlist, segments }: MediaFile): MeasuredSegment[] | null {
  const found = playlist.segments.flatMap(({ seconds }, i) => {
    const bytes = segments[i]?.bytes;
    return bytes === undefined || Number.isNaN(seconds) ? [] : [{ bytes, durationSeconds: seconds }];
  });
  return found.length === playlist.segments.length && found.length > 0 ? found : null;
}

function averageRate(file: MediaFile): number | null {
  const all = sizes(file);
  const seconds = totalSeconds(file.playlist);
  return all && seconds > 0 ? (all.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / seconds : null;
}

/** Of a playlist that is shorter than half a target duration, the average. */
function peakRate(file: MediaFile): number | null {
  const all = sizes(file);
  return all && (peakOf(all, numberOf(tagOf(file.playlist, '#EXT-X-TARGETDURATION')?.value)) ?? averageRate(file));
}
