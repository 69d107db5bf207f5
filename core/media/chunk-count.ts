import { LEAD_SECONDS, WITNESS_SECONDS } from './chunk.ts';

/** What it takes to start a worker, in seconds. */
export interface Starts {
  /** For which it is paid before it encodes. */
  paid: number;
  /** From its submission to its first line, the unpaid part included. */
  waits: number;
  /** For so long it is paid at least. */
  least: number;
}

/**
 * Fargate is paid from the beginning of the image's download, and for a minute at least (https://aws.amazon.com/fargate/pricing/). Guesses, not
 * measured: tasks take 30 to 45 s to start in all, as AWS's support says on re:Post, of which half are the download.
 */
export const FARGATE: Starts = { paid: 20, waits: 40, least: 60 };

/** Of the workers of a film. */
export interface Workers {
  /** How many there may be at once. */
  workers: number;
  starts: Starts;
  /** In how many seconds it is to be ready; absent: whenever it is cheapest. */
  deadlineSeconds?: number | undefined;
}

/** What the first worker takes to look at a film. */
export const LOOK_SECONDS = 5;
/** What the joining worker takes for a second of film, to bring its chunks: an hour of 1080p is 2 to 4 GB, at 100 MB/s. */
export const JOIN_SHARE = 0.01;
/** What the worker of the sound takes for a second of film, all of which it reads, at the same rate. */
export const SOUND_SHARE = 0.01;
/** What decoding is of the time of an encode, about: chunks of 12 s, each with 10 s that are decoded twice, took 1.1 to 1.2 times the CPU. */
const DECODE_SHARE = 0.15;
/** How many times as much as one worker that encodes the whole chunks may cost, and where the film is to be ready at a time. */
const DEARER = 1.15;
const DEARER_IN_TIME = 2;
/** Where there is a deadline, a chunk may be so much harder than others, by what it shows. A guess. */
export const UNEVEN = 1.2;
/** In a shorter chunk the lead is a sixth of what is decoded. */
const SHORTEST_SECONDS = 60;
/** So many are read and joined by one worker; AWS Batch takes arrays of 10,000. */
const MOST = 1000;

/** For how much longer than the film itself each chunk is decoded. */
const MORE_SECONDS = LEAD_SECONDS + 2 * WITNESS_SECONDS;

/**
 * In how many chunks a film is encoded; 1: it is encoded whole. Each chunk starts a worker and decodes a lead, which is paid, and nothing gets
 * cheaper by more of them. So without a deadline there are as many as cost 1.15 times what one worker does. With one, which these would miss,
 * there are as many more as it takes, or as make it quicker for up to twice the price: somebody has said what the time is worth. There are no more than may be
 * encoded at once beside the sound: the others would wait, and each for a start.
 * @param film its length in seconds
 * @param whole how long one worker would encode it, in seconds
 */
export function chunkCount(film: number, whole: number, { workers, starts, deadlineSeconds }: Workers): number {
  const most = Math.min(Math.floor(film / SHORTEST_SECONDS), MOST, workers - 1);
  const within = (times: number) => {
    let count = most;
    while (count > 1 && paidSeconds(film, whole, count, starts) > times * paidSeconds(film, whole, 1, starts))
      count -= 1;
    return Math.max(1, count);
  };
  const time = (count: number) => starts.waits + inChunks(film, whole, count, starts, UNEVEN).seconds;
  let count = within(DEARER);
  if (deadlineSeconds === undefined || time(count) <= deadlineSeconds) return count;
  const limit = within(DEARER_IN_TIME);
  // From some number on the sound takes longest.
  while (count < limit && time(count) > deadlineSeconds && (count === 1 || time(count + 1) < time(count))) count += 1;
  return count;
}

/** What all workers are paid for, in seconds: of a film in one chunk, one. */
export function paidSeconds(film: number, whole: number, count: number, { paid, least }: Starts): number {
  const of = (seconds: number) => Math.max(least, paid + seconds);
  if (count === 1) return of(whole);
  const others = of(LOOK_SECONDS) + of(SOUND_SHARE * film) + of(JOIN_SHARE * film);
  return others + count * of(whole / count + leadSeconds(film, whole));
}

/** What a chunk takes beside its share of the work. */
export function leadSeconds(film: number, whole: number): number {
  return (DECODE_SHARE * whole * MORE_SECONDS) / film;
}

/**
 * What an encode in so many chunks is expected to take where all of them start at once: `seconds` from the start of the first worker to the last
 * upload, and what all workers take together, their starts not counted.
 * @param slowest how many times as long as its share the slowest chunk takes
 */
export function inChunks(
  film: number,
  whole: number,
  count: number,
  { waits }: Starts,
  slowest = 1,
): { seconds: number; workerSeconds: number } {
  if (count === 1) return { seconds: whole, workerSeconds: whole };
  const [lead, sound, join] = [leadSeconds(film, whole), SOUND_SHARE * film, JOIN_SHARE * film];
  return {
    seconds: LOOK_SECONDS + waits + Math.max((slowest * whole) / count + lead, sound) + waits + join,
    workerSeconds: LOOK_SECONDS + whole + count * lead + sound + join,
  };
}
