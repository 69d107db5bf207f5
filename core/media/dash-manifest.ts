import type { AudioGroup, Rendition, RenditionFile, Succeeded } from '../contracts/job.ts';
import { channelsOf } from './master-playlist.ts';

/** What a Representation is made of. */
interface Track extends RenditionFile {
  /** `1080p`, `audio-128k` */
  id: string;
  codecs: string;
  /** Bits per second, of the track alone: the peak. */
  bandwidth: number;
  durationSeconds: number;
  picture?: { width: number; height: number; frameRate: number | undefined };
}

/** Of results that do not say it. */
const USUAL_SEGMENT_SECONDS = 6;

/**
 * The MPEG-DASH manifest of a result (ISO/IEC 23009-1, on-demand profile): each rendition is a file with an index, which is all that a player
 * needs to know of its segments. Null for a result of an earlier release, whose renditions are no such files.
 */
export function dashManifest(
  result: Pick<Succeeded, 'audio' | 'renditions' | 'captions' | 'captionChannels' | 'segmentSeconds'>,
): string | null {
  const groups = new Map(result.audio.map((group) => [group.id, group]));
  const rungs = result.renditions.map((rendition) => rungOf(rendition, groups));
  const sound = result.audio.map(({ id, ...group }) => trackOf(id, group));
  const tracks = [...rungs, ...sound];
  if (!tracks.every((track) => track !== null)) return null;
  const pictures = tracks.filter(({ picture }) => picture !== undefined);
  const sounds = tracks.filter(({ picture }) => picture === undefined);
  const seconds = Math.max(...tracks.map(({ durationSeconds }) => durationSeconds));
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static"' +
      ` mediaPresentationDuration="PT${round(seconds)}S" minBufferTime="PT${result.segmentSeconds ?? USUAL_SEGMENT_SECONDS}S">`,
    '  <Period id="0">',
    ...adaptationSet('video', pictures, captionsOf(channelsOf(result))),
    ...adaptationSet('audio', sounds, []),
    '  </Period>',
    '</MPD>',
  ];
  return `${lines.join('\n')}\n`;
}

/** Captions in the pictures, of languages that nobody knows: SCTE 214-1. */
function captionsOf(channels: readonly string[]): string[] {
  const services = channels.filter((id) => id.startsWith('SERVICE')).map((id) => id.slice('SERVICE'.length));
  const lines = [
    ['608', channels.filter((id) => id.startsWith('CC')).map((id) => `${id}=und`)],
    ['708', services.map((number) => `${number}=lang:und`)],
  ] as const;
  return lines
    .filter(([, values]) => values.length > 0)
    .map(
      ([of, values]) => `<Accessibility schemeIdUri="urn:scte:dash:cc:cea-${of}:2015" value="${values.join(';')}"/>`,
    );
}

/** A rung's rates and codecs in a result are those of its pictures with its sound, as HLS wants them. */
function rungOf(rendition: Rendition, groups: ReadonlyMap<string, AudioGroup>): Track | null {
  const { name, width, height, frameRate, audio } = rendition;
  if (width === undefined || height === undefined) return trackOf(name, rendition);
  const [codecs = ''] = rendition.codecs.split(',');
  const bandwidth = rendition.bandwidth - (groups.get(audio ?? '')?.bandwidth ?? 0);
  return trackOf(name, { ...rendition, codecs, bandwidth }, { width, height, frameRate });
}

function trackOf(id: string, track: Omit<AudioGroup, 'id' | 'channels'>, picture?: Track['picture']): Track | null {
  const { codecs, bandwidth, durationSeconds, file } = track;
  return file === undefined ? null : { id, codecs, bandwidth, durationSeconds, ...file, ...(picture && { picture }) };
}

function adaptationSet(contentType: 'video' | 'audio', tracks: readonly Track[], more: readonly string[]): string[] {
  const [first] = tracks;
  if (first === undefined) return [];
  const language = first.sound?.language === undefined ? '' : ` lang="${escaped(first.sound.language)}"`;
  // Segments of all renditions of a kind begin at the same times, with a keyframe that is shown first.
  const alike = 'subsegmentAlignment="true" subsegmentStartsWithSAP="1"';
  return [
    `    <AdaptationSet contentType="${contentType}" mimeType="${contentType}/mp4"${language} ${alike}>`,
    ...more.map((line) => `      ${line}`),
    ...tracks.flatMap(representation),
    '    </AdaptationSet>',
  ];
}

function representation(track: Track): string[] {
  const { id, codecs, bandwidth, uri, initBytes, indexBytes, picture, sound } = track;
  const rate = picture?.frameRate === undefined ? '' : ` frameRate="${frameRateOf(picture.frameRate)}"`;
  const size = picture ? ` width="${picture.width}" height="${picture.height}"${rate} sar="1:1"` : '';
  const sampling = sound ? ` audioSamplingRate="${sound.sampleRate}"` : '';
  return [
    `      <Representation id="${escaped(id)}" codecs="${codecs}" bandwidth="${bandwidth}"${size}${sampling}>`,
    ...(sound ? [`        <AudioChannelConfiguration schemeIdUri="${CHANNELS}" value="${sound.channels}"/>`] : []),
    `        <BaseURL>${escaped(uri)}</BaseURL>`,
    `        <SegmentBase indexRange="${initBytes}-${initBytes + indexBytes - 1}">`,
    `          <Initialization range="0-${initBytes - 1}"/>`,
    '        </SegmentBase>',
    '      </Representation>',
  ];
}

/** Number of channels: ISO/IEC 23009-1, 5.8.5.4. */
const CHANNELS = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';

/** `25`, `24000/1001`: a whole number or a fraction of whole numbers. */
function frameRateOf(rate: number): string {
  const denominator = [1, 1001].find((one) => Math.abs(rate * one - Math.round(rate * one)) < 0.001) ?? 1000;
  const numerator = Math.round(rate * denominator);
  return denominator === 1 ? `${numerator}` : `${numerator}/${denominator}`;
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
