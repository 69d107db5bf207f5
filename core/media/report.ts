import type { SourceInfo, SourceTrack } from '../contracts/table/media.ts';
import { type Warning, warning } from '../contracts/warnings.ts';
import type { FfprobeOutput } from './ffprobe.ts';
import { languageOf, type MediaProbe } from './probe.ts';

/** What a source holds, track by track, and what became of it. */

/** More tracks are counted, not listed. */
const MOST_TRACKS = 50;
type Stream = FfprobeOutput['streams'][number];

export function sourceReport(
  { streams, format }: FfprobeOutput,
  probe: MediaProbe,
): Pick<SourceInfo, 'container' | 'tracks' | 'moreTracks'> {
  const more = streams.length - MOST_TRACKS;
  return {
    container: format.format_name,
    tracks: streams.slice(0, MOST_TRACKS).map((stream) => trackOf(stream, probe)),
    ...(more > 0 && { moreTracks: more }),
  };
}

/** FFmpeg's indices of all audio tracks, in their order, of which the report may list some only. */
export function audioTracksOf({ streams }: FfprobeOutput): number[] {
  return streams.filter(({ codec_type }) => codec_type === 'audio').map(({ index }) => index);
}

function trackOf(stream: Stream, { video, audio, skipped }: MediaProbe): SourceTrack {
  const { index, codec_type: type = 'unknown', codec_name: codec, width, height, channels, sample_rate } = stream;
  const taken = [video?.index, audio?.index, audio?.right].includes(index);
  const why = skipped.find(({ what }) => what === `${type} track ${index}`)?.why ?? whyNot(stream);
  return {
    index,
    type,
    ...(codec !== undefined && { codec }),
    ...(type === 'video' && { ...whole({ width, height }) }),
    ...(type === 'audio' && { ...whole({ channels, sampleRate: sample_rate }) }),
    ...languageOf(stream.tags.language),
    taken,
    ...(!taken && { why }),
  };
}

/** DynamoDB does not take every number that a file can contain. */
function whole<Name extends string>(values: Record<Name, number | undefined>): { [Key in Name]?: number } {
  const known = Object.entries(values).filter(([, value]) => Number.isSafeInteger(value));
  return Object.fromEntries(known) as { [Key in Name]?: number };
}

function whyNot({ codec_type, disposition }: Stream): string {
  if (codec_type === 'subtitle') return 'Subtitles are not carried.';
  if (disposition.attached_pic === 1 || disposition.timed_thumbnails === 1) return 'It is a cover picture.';
  return 'It is neither picture nor sound.';
}

/** What FFmpeg says of pictures that are meant for a special player. */
const VIEWS = new Map([
  ['Spherical Mapping', 'The picture is spherical (360° video), which is not carried: players show it flat.'],
  ['Stereo 3D', 'The picture is stereoscopic (3D), which is not carried: players show it as it is stored.'],
]);

/** Of what is no track of picture or sound. */
export function extraWarnings({ streams, chapters }: FfprobeOutput): Warning[] {
  const subtitles = streams.filter(({ codec_type }) => codec_type === 'subtitle');
  const languages = [...new Set(subtitles.flatMap(({ tags }) => languageOf(tags.language).language ?? []))];
  const named = languages.length > 0 ? ` (${languages.join(', ')})` : '';
  const extras = streams.filter(({ codec_type, disposition }) =>
    codec_type === 'video'
      ? disposition.attached_pic === 1 || disposition.timed_thumbnails === 1
      : codec_type === 'attachment' || codec_type === 'data',
  );
  const lost = (code: 'subtitles_dropped' | 'chapters_dropped' | 'extras_dropped', count: number, what: string) =>
    count > 0 ? [warning(code, `${what}: ${count}; not carried.`)] : [];
  const special = streams.flatMap(({ side_data_list }) => side_data_list.filter(({ type }) => type !== '2D'));
  const kinds = new Set(special.map(({ side_data_type }) => side_data_type));
  const views = [...VIEWS].filter(([kind]) => kinds.has(kind)).map(([, what]) => warning('extras_dropped', what));
  return [
    ...views,
    ...lost('subtitles_dropped', subtitles.length, `Tracks of subtitles${named}`),
    ...lost('chapters_dropped', chapters.length, 'Chapters'),
    ...lost('extras_dropped', extras.length, 'Covers, attachments and data'),
  ];
}
