import type { ErrorCode } from '../../core/contracts/errors.ts';
import { type Warning, type WarningCode, warning } from '../../core/contracts/warnings.ts';
import type { EngineEnd } from '../engine.ts';

/** What MediaConvert's numbers mean here. Its texts are for people: nothing is read from them. */

/** No worker was at work, so that no result explains it; and MediaConvert makes no other attempt of the job. */
const ended = (code: ErrorCode, message: string): EngineEnd => ({
  by: 'outside',
  reason: { code, message },
  onlyAttempt: true,
});

export const CANCELLED = ended('cancelled', 'The job was cancelled.');

/** Of the table, the numbers with a code of dropreel that says more than that the job failed. */
const CODES: readonly [ErrorCode, ...number[]][] = [
  // The container, the codec or its profile.
  ['unsupported_codec', 1010, 1030],
  // No picture or sound found or decoded; the index or the stream is broken.
  ['corrupt', 1020, 1021, 1075, 1092],
  ['truncated', 1076],
  // The settings do not go together, or not with this input. Another attempt has the same ones.
  ['encode_failed', 1022, 1040, 1041, 1042, 1043, 1060, 1093, 3457],
  // The role cannot read or write, or S3 has failed. What it reads is our copy of the upload: where that is gone, another attempt makes it anew.
  ['storage_failed', 1056, 1401, 1404, 1517, 3408, 3450, 3451, 3454],
  // The role is missing, malformed or does not trust the service: for minutes after a deployment, or until that is corrected.
  ['engine_refused', 1432, 1433, 1434, 1515],
  // Disk, time-outs, acceleration and what the service did not expect.
  ['worker_lost', 1050, 1507, 1522, 1550, 1999],
];
const BY_NUMBER: ReadonlyMap<number, ErrorCode> = new Map(
  CODES.flatMap(([code, ...numbers]) => numbers.map((number) => [number, code] as const)),
);

/**
 * Why a job ended in ERROR. A number that is not known is worth another attempt, as 1999 is.
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_error_codes.html
 */
export function endOfError(number: number | undefined, text = 'no reason given'): EngineEnd {
  const code = BY_NUMBER.get(number ?? 0) ?? 'worker_lost';
  return ended(code, `MediaConvert ended the job with error ${number ?? 'unknown'}: ${text}`);
}

/** The input is shorter than it says. The job is complete all the same, and so are its outputs, up to there. */
const TRUNCATED = 220_000;

/** Why a job that is complete has failed nevertheless; null where it has not. */
export function endOfWarnings(numbers: readonly number[]): EngineEnd | null {
  if (!numbers.includes(TRUNCATED)) return null;
  const end = ended('truncated', 'The file is cut off: MediaConvert found less media than it announces.');
  return { ...end, billed: true };
}

/** Of the warnings of complete jobs, those of something that viewers do not get. */
const LOSSES: Readonly<Record<number, readonly [code: WarningCode, message: string]>> = {
  230001: ['colors_guessed', 'The source does not name its colours so that MediaConvert could convert them.'],
  230005: ['colors_guessed', 'The source does not say whether its colours have the full range.'],
  230006: ['sound_damaged', 'MediaConvert could not decode all of the sound.'],
  230008: ['picture_damaged', 'MediaConvert found damaged pictures.'],
  240001: ['sound_damaged', 'MediaConvert has left out at least 0.1 s of sound.'],
};

export function isLoss(number: number): boolean {
  return LOSSES[number] !== undefined;
}

/** What viewers lose by these warnings, each once. https://docs.aws.amazon.com/mediaconvert/latest/ug/warning_codes.html */
export function lossesOf(numbers: readonly number[]): Warning[] {
  return [...new Set(numbers)].flatMap((number) => {
    const loss = LOSSES[number];
    return loss ? [warning(...loss)] : [];
  });
}
