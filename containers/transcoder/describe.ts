import type { AudioGroup, Rendition, RenditionFile, Succeeded } from '../../core/contracts/job.ts';
import { type MeasuredSegment, measureBandwidth } from '../../core/media/bandwidth.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { keyframePlaylist, keyframesName } from '../../core/media/keyframes.ts';
import { targetDuration } from '../../core/media/media-playlist.ts';
import { lastFrameOf, type RenditionFiles } from './rendition.ts';

/** What only the pictures of finished rungs tell. */
export interface InPictures {
  /** INSTREAM-ID of each of their captions. */
  captions: readonly string[];
  /** The most pictures a second; undefined where their rate is constant, or not known. */
  peak?: number | undefined;
}

/** As the limit of a preset is meant: a clock that trembles makes a second of 61 of 60 pictures, and Apple wants 60 at most (1.19). */
function maxRate({ maxFrameRate, frameRate }: NonNullable<EncodePlan['video']>, peak: number | undefined) {
  const most = peak ?? (frameRate ? frameRate.num / frameRate.den : 0);
  return peak !== undefined || most > maxFrameRate ? { maxFrameRate: Math.min(most, maxFrameRate) } : {};
}

/** What the master playlist states about finished renditions. Renditions that are not among `files` are left out. */
export function describeRenditions(
  plan: EncodePlan,
  files: readonly RenditionFiles[],
  { captions, peak }: InPictures,
): Pick<Succeeded, 'audio' | 'renditions' | 'captions' | 'captionChannels'> {
  const target = targetDuration(files);
  const measured = new Map(files.map((file) => [file.file, measure(plan, file, target)]));
  const keyframes = measureKeyframes(plan, files);
  const { channels = 2, language } = plan.audio ?? {};
  const sound = plan.audio?.renditions.flatMap(({ name, file }) => {
    const found = measured.get(file);
    return found
      ? [{ name, group: { id: file, channels, ...(language !== undefined && { language }), ...found } }]
      : [];
  });
  if (plan.video === undefined) {
    return { audio: [], renditions: (sound ?? []).map(({ name, group }) => alone(name, group)) };
  }
  const { video: planned } = plan;
  const { frameRate } = planned;
  const renditions = plan.video.rungs.flatMap((rung): Rendition[] => {
    const video = measured.get(rung.name);
    if (video === undefined) return [];
    const group = sound?.find(({ name }) => name === rung.audio)?.group;
    return [
      {
        ...video,
        name: rung.name,
        width: rung.width,
        height: rung.height,
        ...(frameRate ? { frameRate: frameRate.num / frameRate.den } : {}),
        ...maxRate(planned, peak),
        codecs: group ? `${video.codecs},${group.codecs}` : video.codecs,
        bandwidth: video.bandwidth + (group?.bandwidth ?? 0),
        averageBandwidth: video.averageBandwidth + (group?.averageBandwidth ?? 0),
        ...(group ? { audio: group.id } : {}),
        keyframes: keyframes.get(rung.name),
      },
    ];
  });
  return {
    audio: (sound ?? []).map(({ group }) => group),
    renditions,
    captions: captions.length > 0,
    ...(captions.length > 0 && { captionChannels: [...captions] }),
  };
}

type Measured = Omit<AudioGroup, 'id' | 'channels' | 'language'>;

function measure(plan: EncodePlan, files: RenditionFiles, target: number): Measured {
  const { peak, average } = measureBandwidth(files.segments.map(sizeOf), target);
  return {
    playlist: `${files.file}.m3u8`,
    codecs: files.header.codec,
    bandwidth: peak,
    averageBandwidth: average,
    bytes: files.bytes,
    durationSeconds: files.segments.reduce((sum, segment) => sum + segment.durationSeconds, 0),
    file: fileOf(plan, files),
  };
}

function fileOf({ audio }: EncodePlan, { file, init, segments }: RenditionFiles): RenditionFile {
  const initBytes = init.range.bytes;
  const place = { uri: init.uri, initBytes, indexBytes: (segments[0]?.range.offset ?? initBytes) - initBytes };
  if (!audio?.renditions.some((rendition) => rendition.file === file)) return place;
  const { sampleRate, channels, language } = audio;
  return { ...place, sound: { sampleRate, channels, ...(language !== undefined && { language }) } };
}

function sizeOf({ range, durationSeconds }: { range?: { bytes: number }; durationSeconds: number }): MeasuredSegment {
  return { bytes: range?.bytes ?? 0, durationSeconds };
}

/** By the rendition's file. The playlists of keyframes have a target duration of their own. */
function measureKeyframes(plan: EncodePlan, files: readonly RenditionFiles[]): Map<string, Rendition['keyframes']> {
  const lists = files.flatMap((rendition) => {
    const lastFrame = lastFrameOf(plan, rendition.file);
    return lastFrame === undefined ? [] : [{ rendition, list: keyframePlaylist(rendition, lastFrame) }];
  });
  const target = targetDuration(lists.map(({ list }) => list));
  return new Map(
    lists.map(({ rendition, list }) => {
      const { peak, average } = measureBandwidth(list.segments.map(sizeOf), target);
      const rates = { bandwidth: peak, averageBandwidth: average };
      return [rendition.file, { playlist: keyframesName(rendition.file), codecs: rendition.header.codec, ...rates }];
    }),
  );
}

function alone(name: string, group: AudioGroup): Rendition {
  const { id: _, channels: __, language: ___, ...measured } = group;
  return { name, ...measured };
}
