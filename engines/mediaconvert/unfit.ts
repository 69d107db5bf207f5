import type { EncodePlan, VideoPlan } from '../../core/media/encode-plan.ts';
import { longSide, type Size, shortSide } from '../../core/media/size.ts';
import type { ProbedSource } from './settings.ts';
import { isMp4 } from './video-settings.ts';

/** Pixels of a side of any output. https://docs.aws.amazon.com/mediaconvert/latest/apireference/jobs.html */
const LEAST_SIDE = 32;
/** Of H.264, in either orientation. https://docs.aws.amazon.com/mediaconvert/latest/ug/reference-codecs-containers.html */
const MOST = { longSide: 4096, shortSide: 2160 };
/** Wide primaries with an SDR transfer for which MediaConvert's ColorSpace has a value. */
const KNOWN_SDR = new Set(['smpte431', 'smpte432']);

/** Why MediaConvert would not make of this source what dropreel's worker makes of it; empty where it would. */
export function unfit(plan: EncodePlan, source: ProbedSource): string[] {
  const { video, audio } = plan;
  return [
    ...(video ? [...unfitSizes(plan, video), ...unfitPictures(video, source)] : []),
    ...(audio?.mix !== undefined ? [`it has no mix for ${audio.sourceChannels} channels`] : []),
    ...(plan.joined ? ['it is not known what becomes of recordings that were joined'] : []),
  ];
}

function unfitSizes({ mp4, thumbnail, poster }: EncodePlan, { rungs }: VideoPlan): string[] {
  const all: Size[] = [...rungs, ...[mp4?.encode, thumbnail, poster].filter((size) => size !== undefined)];
  const small = all.find((size) => shortSide(size) < LEAST_SIDE);
  const large = all.find((size) => longSide(size) > MOST.longSide || shortSide(size) > MOST.shortSide);
  const said = ({ width, height }: Size) => `${width}x${height}`;
  return [
    ...(small ? [`an output of ${said(small)} is below its ${LEAST_SIDE} pixels`] : []),
    ...(large ? [`an output of ${said(large)} is above its ${MOST.longSide}x${MOST.shortSide}`] : []),
  ];
}

function unfitPictures(video: VideoPlan, source: ProbedSource): string[] {
  const { color, lead, deinterlace } = video;
  const track = source.probe.video;
  const { convert } = color;
  const turned =
    track !== undefined && track.coded.width > track.coded.height !== track.displayed.width > track.displayed.height;
  const partly = deinterlace !== 'flagged' && deinterlace.length > 1;
  return [
    ...(lead === undefined ? [] : [`it shows black until the picture begins at ${lead.toFixed(1)} s`]),
    ...(convert && !convert.toneMap && !KNOWN_SDR.has(convert.primaries)
      ? [`it has no name for SDR of ${convert.primaries}`]
      : []),
    ...(turned && (!isMp4(source.probe) || deinterlace.length > 0)
      ? ['it turns only progressive pictures of MP4 and MOV']
      : []),
    ...(video.captions ? ['captions inside its pictures would be lost'] : []),
    ...(partly ? ['it deinterlaces all pictures or those that say so, and here only some are interlaced'] : []),
  ];
}
