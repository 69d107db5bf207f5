import type { Succeeded } from '../../core/contracts/job.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import { longSide, type Size, shortSide } from '../../core/media/size.ts';

/** Each output is billed by itself, for so much at least. */
const LEAST_SECONDS = 10;
/** Pictures a second, above which an output costs twice as much. */
const USUAL_RATE = 30;

/** What MediaConvert's outputs of a job cost, in USD: the renditions and their sound, and an MP4 that is encoded by itself. */
export function encodeUsd(
  { renditions, audio }: Pick<Succeeded, 'renditions' | 'audio'>,
  { mediaConvert }: Pick<Prices, 'mediaConvert'>,
  ownMp4?: Size,
): number {
  const [top] = renditions;
  const pictures = renditions.flatMap(({ width, height, frameRate = USUAL_RATE, durationSeconds }) =>
    width && height ? [{ width, height, frameRate, durationSeconds }] : [],
  );
  const sounds = pictures.length > 0 ? audio : renditions;
  const own =
    top && ownMp4 ? [{ ...ownMp4, frameRate: top.frameRate ?? USUAL_RATE, durationSeconds: top.durationSeconds }] : [];
  const usd = [
    ...[...pictures, ...own].map((picture) => minutes(picture) * mediaConvert[tierOf(picture)] * factorOf(picture)),
    ...sounds.map((sound) => minutes(sound) * mediaConvert.soundMinute),
  ];
  return usd.reduce((total, each) => total + each, 0);
}

const minutes = ({ durationSeconds }: { durationSeconds: number }) => Math.max(LEAST_SECONDS, durationSeconds) / 60;
const factorOf = ({ frameRate }: { frameRate: number }) => (frameRate > USUAL_RATE + 0.01 ? 2 : 1);

/** SD ends below 1280x720, HD with 1920x1080. */
function tierOf(size: Size): 'sdMinute' | 'hdMinute' | 'uhdMinute' {
  if (shortSide(size) < 720 && longSide(size) < 1280) return 'sdMinute';
  return shortSide(size) <= 1080 && longSide(size) <= 1920 ? 'hdMinute' : 'uhdMinute';
}
