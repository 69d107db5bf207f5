import { LEAD_SECONDS, WITNESS_SECONDS } from './chunk.ts';

/**
 * Seconds for which a worker is paid before it encodes. Fargate is paid from the beginning of the image's download
 * (https://aws.amazon.com/fargate/pricing/). A guess, not measured: tasks take 30 to 45 s to start in all, as AWS's support says on re:Post.
 */
export const PAID_START_SECONDS = 20;
/** From the submission of a worker to its first line, the unpaid part included: a guess, by the same answers. */
const START_SECONDS = 40;
/** What the first worker takes to look at a film. */
export const LOOK_SECONDS = 5;
/** Beside the chunks: a worker that prepares, one for the sound, one that joins. */
const OTHER_WORKERS = 3;
/** What the joining worker takes for a second of film, to bring its chunks: an hour of 1080p is 2 to 4 GB, at 100 MB/s. */
export const JOIN_SHARE = 0.01;
/** What the worker of the sound takes for a second of film: it reads all of it twice, at the same rate. */
export const SOUND_SHARE = 0.02;
/** What decoding is of the time of an encode, about: chunks of 12 s, each with 10 s that are decoded twice, took 1.1 to 1.2 times the CPU. */
const DECODE_SHARE = 0.15;
/** By so much chunks may cost more than one worker that encodes the whole. */
const DEARER = 0.15;
/** In a shorter chunk the lead is a sixth of what is decoded. */
const SHORTEST_SECONDS = 60;
/** So many are read and joined by one worker; AWS Batch takes arrays of 10,000. */
const MOST = 1000;

/** For how much longer than the film itself each chunk is decoded. */
const MORE_SECONDS = LEAD_SECONDS + 2 * WITNESS_SECONDS;

/**
 * In how many chunks a film is encoded: as many as may start for a seventh of what the encode of the whole costs, because each starts a worker
 * and decodes a lead; 1: it is encoded whole. The price alone decides: nothing gets cheaper by more workers than that, and where no deadline is
 * near, the time that fewer of them would take is of no use to anybody. There are no more than may be encoded at once beside the sound: the
 * others would wait, and each for a start.
 * @param film its length in seconds
 * @param whole how long one worker would encode it, in seconds
 * @param workers how many there may be at once
 */
export function chunkCount(film: number, whole: number, workers: number): number {
  const spare = DEARER * whole - OTHER_WORKERS * PAID_START_SECONDS - LOOK_SECONDS - (JOIN_SHARE + SOUND_SHARE) * film;
  const paid = Math.floor(spare / (PAID_START_SECONDS + leadSeconds(film, whole)));
  const count = Math.min(paid, Math.floor(film / SHORTEST_SECONDS), MOST, workers - 1);
  return count < 2 ? 1 : count;
}

/** What a chunk takes beside its share of the work. */
export function leadSeconds(film: number, whole: number): number {
  return (DECODE_SHARE * whole * MORE_SECONDS) / film;
}

/**
 * What an encode in chunks is expected to take where all of them start at once: `seconds` from the start of the first worker to the last
 * upload, and what all workers take together, their starts not counted.
 */
export function inChunks(film: number, whole: number, count: number): { seconds: number; workerSeconds: number } {
  const [lead, sound, join] = [leadSeconds(film, whole), SOUND_SHARE * film, JOIN_SHARE * film];
  return {
    seconds: LOOK_SECONDS + START_SECONDS + Math.max(whole / count + lead, sound) + START_SECONDS + join,
    workerSeconds: LOOK_SECONDS + whole + count * lead + sound + join,
  };
}
