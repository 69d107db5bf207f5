import type { Experience, ExperienceRow } from '../contracts/table/engines.ts';
import { actualOf, type JobRow } from '../contracts/table/jobs.ts';
import type { SourceInfo } from '../contracts/table/media.ts';

/** How finished jobs correct the estimates of those that come: by engine and class of sources. */

interface Amounts {
  seconds: number;
  usd: number;
}

/** What one more job leaves of the weight of those before it: after 14 jobs of equal length, half of it. */
const FADES_TO = 0.95;
/**
 * How far experience may correct an estimate, and one job the experience, either way: a machine that stood still for a day must not price
 * all that follows.
 */
const MOST = 10;
/** Codecs whose decoding is a part of the encode that shows; all others share a class. */
const HEAVY = new Set(['hevc', 'av1', 'vp9', 'prores']);

/** `usual hd`, `hevc uhd`, `sound`. Sizes by their lines: SD below 720, HD to 1080. */
export function classOf({ videoCodec = '', width, height }: SourceInfo): string {
  if (width === undefined || height === undefined) return 'sound';
  const lines = Math.min(width, height);
  const size = lines < 720 ? 'sd' : lines <= 1080 ? 'hd' : 'uhd';
  return `${HEAVY.has(videoCodec) ? videoCodec : 'usual'} ${size}`;
}

/** An estimate in the light of what earlier jobs took. */
export function corrected(assumed: Amounts, experience: Experience | undefined): Amounts {
  if (!experience) return assumed;
  const { seconds, assumedSeconds, usd, assumedUsd } = experience;
  return {
    seconds: assumed.seconds * factor(seconds, assumedSeconds),
    usd: assumed.usd * factor(usd, assumedUsd),
  };
}

function factor(actual: number, assumed: number): number {
  return assumed > 0 ? within(actual, assumed) / assumed : 1;
}

function within(actual: number, assumed: number): number {
  return Math.min(assumed * MOST, Math.max(assumed / MOST, actual));
}

/** The row of a class with these jobs of it, in their order. Those without an estimate are left out. */
export function learn(row: ExperienceRow | null, jobs: readonly JobRow[]): ExperienceRow {
  const engines = { ...row?.engines };
  for (const job of jobs) {
    const actual = actualOf(job);
    if (!actual || !job.estimate) continue;
    const { assumed } = job.estimate;
    const before = engines[job.engine];
    const sum = (old = 0, fresh = 0) => Number((old * FADES_TO + fresh).toPrecision(9));
    engines[job.engine] = {
      jobs: (before?.jobs ?? 0) + 1,
      seconds: sum(before?.seconds, within(actual.seconds, assumed.seconds)),
      assumedSeconds: sum(before?.assumedSeconds, assumed.seconds),
      usd: sum(before?.usd, within(actual.usd, assumed.usd)),
      assumedUsd: sum(before?.assumedUsd, assumed.usd),
    };
  }
  return { type: 'experience', rev: (row?.rev ?? 0) + 1, engines };
}
