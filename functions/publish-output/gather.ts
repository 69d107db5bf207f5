import { readText, TextTooLarge } from '../../aws/s3.ts';
import type { OutputFile } from '../../core/contracts/job.ts';
import { PART_RECORD_FILE, PREPARED_FILE, partPrefix, tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { parseJson } from '../../core/contracts/text.ts';
import { needsMore } from '../../core/jobs/growing.ts';
import { ChunkRecord } from '../../core/media/chunk-record.ts';
import { type Addition, beginGrowth, type Growth, growingStreams, playableSeconds } from '../../core/media/growing.ts';
import { masterPlaylist } from '../../core/media/master-playlist.ts';
import { PIECE_ENDS, Piece, pieceRecord } from '../../core/media/piece.ts';
import { planEncode } from '../../core/media/plan.ts';
import { Prepared } from '../../core/media/prepared.ts';
import { presetOf } from '../shared/encoding.ts';
import type { PublishServices } from './services.ts';

/** What a growing version is extended by: segments of a file, which is copied beside its playlists. */
export interface Found extends Addition {
  from: string;
  file: OutputFile;
}

/** What is to follow. Workers are not trusted: what does not fit is as if it were not there. */
export interface Gathered {
  /** The growing version as it is; without a step where it begins. */
  growth: Omit<Growth, 'step'> & { step?: number };
  found: Found[];
  next: Growth['next'];
}

/**
 * Looks for what the workers of a film's chunks have left since a growing version was last extended: the pieces of the first chunk, then whole
 * chunks, as far as a player may soon need them, and the sound for as long.
 * @param growth Null where nothing is shown yet
 * @returns null where there is nothing new, or not yet enough to begin
 */
export async function gather(services: PublishServices, job: JobRow, growth: Growth | null): Promise<Gathered | null> {
  const next = growth ? { ...growth.next } : { chunk: 0, piece: 0, soundPiece: 0 };
  const before = growth ? playableSeconds(growth) : { pictures: 0, sound: 0 };
  const pictures = await gatherPictures(services, job, next, before.pictures);
  if (!growth && pictures.length === 0) return null;
  const until = Math.max(before.pictures, ...pictures.map(secondsOf));
  const sound = await gatherSound(services, job, next, before.sound, until);
  const found = [...sound, ...pictures];
  if (growth) return found.length > 0 ? { growth, found, next } : null;
  const fresh = await begin(services, job, found);
  return fresh && { growth: fresh, found, next };
}

async function gatherPictures(
  services: PublishServices,
  job: JobRow,
  next: Growth['next'],
  from: number,
): Promise<Found[]> {
  const found: Found[] = [];
  const read = async (end: number | undefined) =>
    next.chunk === 0 && end !== undefined ? readPiece(services, job, 0, end) : null;
  for (
    let piece = await read(PIECE_ENDS.pictures[next.piece]);
    piece;
    piece = await read(PIECE_ENDS.pictures[next.piece])
  ) {
    found.push(piece);
    next.piece += 1;
  }
  if (found.length > 0) return found;
  const now = new Date().toISOString();
  for (let seconds = from; needsMore(job, now, seconds); ) {
    const chunk = await readChunk(services, job, next.chunk);
    if (!chunk) break;
    found.push(...chunk);
    next.chunk += 1;
    seconds = Math.max(seconds, ...chunk.map(secondsOf));
  }
  return found;
}

async function gatherSound(
  services: PublishServices,
  job: JobRow,
  next: Growth['next'],
  from: number,
  until: number,
): Promise<Found[]> {
  const found: Found[] = [];
  for (let seconds = from; seconds < until; ) {
    const end = PIECE_ENDS.sound[next.soundPiece];
    const piece = end === undefined ? null : await readPiece(services, job, 'sound', end);
    if (!piece) break;
    found.push(piece);
    next.soundPiece += 1;
    seconds = secondsOf(piece);
  }
  return found;
}

/** Null where a rendition of the film is not there yet. */
async function begin(
  services: PublishServices,
  job: JobRow,
  found: readonly Found[],
): Promise<Omit<Growth, 'step'> | null> {
  const prepared = await readAs(services, `${tmpPrefix(job.jobId)}${PREPARED_FILE}`, Prepared);
  if (!prepared || prepared.jobId !== job.jobId) return null;
  const plan = planEncode(prepared.probe, presetOf(job), prepared.ends);
  const codecs = new Map(
    found.flatMap(({ renditions }) => renditions.map(({ file, codec }) => [file, codec] as const)),
  );
  const fresh = beginGrowth(plan);
  if (fresh.lists.some(({ file }) => !codecs.has(file))) return null;
  return { ...fresh, master: masterPlaylist(growingStreams(plan, codecs), '') };
}

function secondsOf({ renditions }: Addition): number {
  const ends = renditions.map(({ segments }) => segments.at(-1)).map((last) => (last ? last.at + last.seconds : 0));
  return Math.min(...ends);
}

async function readPiece(
  services: PublishServices,
  { jobId }: JobRow,
  part: 0 | 'sound',
  end: number,
): Promise<Found | null> {
  const prefix = `${tmpPrefix(jobId)}${partPrefix(part)}`;
  const piece = await readAs(services, `${prefix}${pieceRecord(end)}`, Piece);
  if (!piece) return null;
  const { folder, file, renditions } = piece;
  const found = { uri: `${part}-${end}.mp4`, from: `${prefix}${folder}${file.path}`, file, renditions };
  return isWithin(found) ? found : null;
}

/** Null where it is not whole, or cannot be cut; one without pictures adds nothing. */
async function readChunk(services: PublishServices, { jobId }: JobRow, index: number): Promise<Found[] | null> {
  const prefix = `${tmpPrefix(jobId)}${partPrefix(index)}`;
  const record = await readAs(services, `${prefix}${PART_RECORD_FILE}`, ChunkRecord);
  if (record?.status !== 'encoded' || record.index !== index) return null;
  const found = record.renditions.flatMap(({ file: name, initBytes, codec, segments }): Found[] => {
    const file = record.files.find(({ path }) => path === `${name}.whole.mp4`);
    if (!file || !codec || !segments?.length || !/^[\w-]{1,64}$/.test(name)) return [];
    const rendition = { file: name, codec, init: { offset: 0, bytes: initBytes }, segments };
    const from = `${prefix}${record.folder}${file.path}`;
    return [{ uri: `${index}-${name}.mp4`, from, file, renditions: [rendition] }];
  });
  return found.length === record.renditions.length && found.every(isWithin) ? found : null;
}

function isWithin({ file, renditions }: Found): boolean {
  return renditions
    .flatMap(({ init, segments }) => [init, ...segments])
    .every(({ offset, bytes }) => offset + bytes <= file.size);
}

/** Null where it is missing, or cannot be read. */
async function readAs<Content>(
  { s3, mediaBucket }: PublishServices,
  key: string,
  schema: { safeParse: (value: unknown) => { data?: Content } },
): Promise<Content | null> {
  const text = await readText(s3, { bucket: mediaBucket, key }).catch((error: unknown) => {
    if (error instanceof TextTooLarge) return null;
    throw error;
  });
  return text === null ? null : (schema.safeParse(parseJson(text)).data ?? null);
}
