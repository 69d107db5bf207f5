import { JobError } from './job-error.ts';
import type { Rate } from './picture.ts';
import type { VideoDescription } from './schema.ts';

interface Level {
  /** MaxFS: macroblocks of a picture. */
  frame: number;
  /** MaxMBPS: macroblocks a second. */
  frames: number;
  /** MaxBR and MaxCPB, in units of 1200 bits for BASELINE and MAIN, of 1500 for HIGH. */
  rate: number;
  buffer: number;
}

/** ITU-T H.264, table A-1. */
export const LEVELS: Readonly<Record<string, Level>> = {
  LEVEL_1: { frame: 99, frames: 1485, rate: 64, buffer: 175 },
  LEVEL_1_1: { frame: 396, frames: 3000, rate: 192, buffer: 500 },
  LEVEL_1_2: { frame: 396, frames: 6000, rate: 384, buffer: 1000 },
  LEVEL_1_3: { frame: 396, frames: 11_880, rate: 768, buffer: 2000 },
  LEVEL_2: { frame: 396, frames: 11_880, rate: 2000, buffer: 2000 },
  LEVEL_2_1: { frame: 792, frames: 19_800, rate: 4000, buffer: 4000 },
  LEVEL_2_2: { frame: 1620, frames: 20_250, rate: 4000, buffer: 4000 },
  LEVEL_3: { frame: 1620, frames: 40_500, rate: 10_000, buffer: 10_000 },
  LEVEL_3_1: { frame: 3600, frames: 108_000, rate: 14_000, buffer: 14_000 },
  LEVEL_3_2: { frame: 5120, frames: 216_000, rate: 20_000, buffer: 20_000 },
  LEVEL_4: { frame: 8192, frames: 245_760, rate: 20_000, buffer: 25_000 },
  LEVEL_4_1: { frame: 8192, frames: 245_760, rate: 50_000, buffer: 62_500 },
  LEVEL_4_2: { frame: 8704, frames: 522_240, rate: 50_000, buffer: 62_500 },
  LEVEL_5: { frame: 22_080, frames: 589_824, rate: 135_000, buffer: 135_000 },
  LEVEL_5_1: { frame: 36_864, frames: 983_040, rate: 240_000, buffer: 240_000 },
  LEVEL_5_2: { frame: 36_864, frames: 2_073_600, rate: 240_000, buffer: 240_000 },
};

/**
 * A level that is named is not that of what is encoded, which is known only once the input is. The texts are of jobs that failed:
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_error_codes.html and avalon#6650.
 * @param number of the output's VideoDescription in the job, from 1, as errors have it
 */
export function checkLevel(
  { codecSettings: { h264Settings: settings } }: VideoDescription,
  { width, height, rate }: { width: number; height: number; rate: Rate },
  number: number,
): void {
  const level = LEVELS[settings?.codecLevel ?? 'AUTO'];
  if (!settings || !level) return;
  const refuse = (what: string) => {
    const why = `initialization failed: Invalid level specified for the selected ${what}.`;
    throw new JobError(1040, `Error initializing encoder for video target [${number}] [${why}]`);
  };
  const frame = Math.ceil(width / 16) * Math.ceil(height / 16);
  if (frame > level.frame || (frame * rate.num) / rate.den > level.frames) refuse('framerate or resolution');
  const unit = settings.codecProfile === 'HIGH' ? 1500 : 1200;
  if ((settings.hrdBufferSize ?? 0) > level.buffer * unit) refuse('buffer size');
}
