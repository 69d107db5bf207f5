import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chunk } from '../../../core/media/chunk.ts';
import type { EncodedSound, Whole } from '../../../core/media/chunk-record.ts';
import { planSound } from '../../../core/media/chunks.ts';
import { endWarnings } from '../../../core/media/decoded.ts';
import { type EncodePlan, streamed } from '../../../core/media/encode-plan.ts';
import { overlappingSound } from '../../../core/media/losses.ts';
import { PIECE_ENDS } from '../../../core/media/piece.ts';
import type { EncodeRun } from '../encode.ts';
import type { Tools } from '../ffmpeg/run.ts';
import { IN_SOFTWARE } from '../gpu.ts';
import { letWrite, takeOver } from '../hand-over.ts';
import { eachPacket } from '../read-packets.ts';
import { SOUND_EARLY_SECONDS, wholeName } from '../split.ts';
import { runStages } from '../stages.ts';
import { readBack } from '../verify.ts';
import { checkSource, NotExact, orWhole } from './doubt.ts';
import type { ChunkRun } from './encode-chunk.ts';
import { followPieces, type PieceTaker } from './pieces.ts';

/** A film to be encoded in chunks. */
export interface CutFilm {
  plan: EncodePlan;
  chunks: readonly Chunk[];
  /** When the file begins, on the clock of its packets. */
  startSeconds: number;
}

export type SoundRun = EncodeRun & Pick<ChunkRun, 'pieces'>;

/**
 * Encodes the sound of a film into `out`, and counts the pictures that the file holds in each chunk.
 * @returns why the film has to be encoded whole, if it has
 * @throws DropreelError of a fault that may pass, or the signal's reason
 */
export async function encodeSound(tools: Tools, film: CutFilm, run: SoundRun): Promise<EncodedSound | Whole> {
  return orWhole(run.signal, async () => {
    const plan = planSound(film.plan);
    // Both go through all of the file. What one has read, the other finds: at once they take as long, and as many requests, as one.
    const [held, made] = await bothOf(
      run.signal,
      (signal) => countPictures({ tools, input: run.input, signal }, film),
      async (signal, counted) =>
        plan ? encodeAll(tools, plan, { ...run, signal }, counted) : { warnings: [], renditions: [] },
    );
    return { status: 'encoded', held, ...made };
  });
}

/** @throws the error of the one that fails first, once the other has ended too */
async function bothOf<A, B>(
  signal: AbortSignal,
  one: (signal: AbortSignal) => Promise<A>,
  other: (signal: AbortSignal, one: Promise<A>) => Promise<B>,
): Promise<[A, B]> {
  const end = new AbortController();
  const either = AbortSignal.any([signal, end.signal]);
  const first = one(either);
  const both = [first, other(either, first)] as const;
  for (const each of both) each.catch((error: unknown) => end.abort(error));
  await Promise.allSettled(both);
  end.signal.throwIfAborted();
  return Promise.all(both);
}

async function encodeAll(
  tools: Tools,
  plan: EncodePlan,
  run: SoundRun,
  counted: Promise<unknown>,
): Promise<Omit<EncodedSound, 'status' | 'held'>> {
  const { out, signal } = run;
  await letWrite(tools, out);
  const onGpu = IN_SOFTWARE;
  const stop = run.pieces && followSound(run.pieces, plan, out);
  let isWhole = false;
  const outcome = await runStages(tools, plan, { ...run, onGpu, cwd: out, toneMap: false })
    .then((made) => {
      isWhole = true;
      return made;
    })
    .finally(() => stop?.({ flush: isWhole }));
  // All programs of FFmpeg's user are ended when the directory is taken over.
  await counted;
  await takeOver(tools, out);
  checkSource(outcome);
  const { sound } = outcome.decoded;
  if (!sound?.samples) throw new NotExact('Nothing of its sound could be decoded.');
  const renditions: EncodedSound['renditions'] = [];
  for (const { file } of plan.audio?.renditions ?? []) {
    const { errors } = await readBack(tools, out, wholeName(file), signal);
    if (errors) throw new NotExact(`${file} does not decode: ${errors.slice(0, 200)}`);
    renditions.push({ file, bytes: (await stat(join(out, wholeName(file)))).size });
  }
  const warnings = [...overlappingSound(sound, outcome.overlaps), ...endWarnings({ sound }, plan)];
  return { sound, warnings, renditions };
}

function followSound({ to, take }: PieceTaker, plan: EncodePlan, from: string) {
  const { segmentSeconds } = plan;
  const files = streamed(plan);
  const earlySeconds = SOUND_EARLY_SECONDS;
  return followPieces({ from, to, files, ends: PIECE_ENDS.sound, segmentSeconds, earlySeconds, take });
}

/** By the packets, of which those count that are presented: an edit list leaves some out. @throws NotExact for one without a time */
async function countPictures(
  source: Parameters<typeof eachPacket>[0],
  { plan, chunks, startSeconds }: CutFilm,
): Promise<number[]> {
  const held = chunks.map(() => 0);
  let timeless = 0;
  await eachPacket(source, ['-select_streams', String(plan.video?.track)], ({ pts, discarded }) => {
    if (Number.isNaN(pts)) timeless += 1;
    const at = pts - startSeconds;
    if (discarded || Number.isNaN(at) || at < 0) return;
    const after = chunks.findIndex(({ end }) => end === undefined || at < end);
    held[after] = (held[after] ?? 0) + 1;
  });
  if (timeless > 0) throw new NotExact(`${timeless} of its pictures have no time.`);
  return held;
}
