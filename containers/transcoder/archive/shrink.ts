import { indexFault } from '../../../core/archive/compare.ts';
import { encodeArguments } from '../../../core/archive/encode-arguments.ts';
import { type ArchiveEncoder, chooseEncoder, refusal, whyUnfit } from '../../../core/archive/fitness.ts';
import type { Inspection } from '../../../core/archive/inspection.ts';
import type { ArchiveRefusal, EncodePolicy, Quality } from '../../../core/contracts/archive.ts';
import { confined } from '../ffmpeg/demuxers.ts';
import type { FfmpegProgress } from '../ffmpeg/progress.ts';
import { complaintOf, type Host, type MediaFile, onlyFaultsOfFile } from './host.ts';
import { describeFile, inspectFile } from './inspect.ts';
import { decodeFault, type Pair, verifyArchived } from './verify.ts';

export type ShrinkPhase = 'reading' | 'encoding' | 'verifying';

export interface Shrink extends Pair {
  policy: EncodePolicy;
  encoders: readonly ArchiveEncoder[];
  onProgress: (progress: { phase: ShrinkPhase; fraction: number }) => void;
}

export type Shrunk =
  | { done: true; encoder: ArchiveEncoder; quality: Quality }
  | { done: false; refusals: ArchiveRefusal[] };

/**
 * Makes the dense copy of a recording and verifies it. It changes nothing but the copy, which is of no use where this throws or refuses.
 * @param shrink `archived` is the name that the copy is written under.
 * @throws the signal's reason, or an Error where the machine is at fault: a full disk, too little memory
 */
export async function shrink(host: Host, { onProgress, policy, ...shrink }: Shrink): Promise<Shrunk> {
  const original = { directory: shrink.directory, name: shrink.original };
  onProgress({ phase: 'reading', fraction: 0 });
  const source = await readSource(host, original, { policy, encoders: shrink.encoders });
  if ('reason' in source) return { done: false, refusals: [source] };
  const { before, encoder } = source;
  const names = { input: `./${shrink.original}`, output: `./${shrink.archived}`, before: confined() };
  const args = encodeArguments(before.description, { ...policy, encoder }, names);
  const { duration = 0 } = before.description.format;
  const onSeconds = ({ seconds = 0 }: FfmpegProgress) =>
    onProgress({ phase: 'encoding', fraction: duration > 0 ? Math.min(1, seconds / duration) : 0 });
  const fault = await complaintOf(host, original, args, onSeconds);
  if (fault !== undefined) return { done: false, refusals: [refusal('encode_failed', fault)] };
  onProgress({ phase: 'verifying', fraction: 0 });
  const { refusals, quality } = await verifyArchived(host, shrink, { before, policy });
  if (refusals.length > 0 || !quality) return { done: false, refusals };
  return { done: true, encoder, quality };
}

/** What the original holds, and what encodes it; or why it is not encoded. */
async function readSource(
  host: Host,
  original: MediaFile,
  { policy, encoders }: Pick<Shrink, 'policy' | 'encoders'>,
): Promise<{ before: Inspection; encoder: ArchiveEncoder } | ArchiveRefusal> {
  const description = await describeFile(host, original);
  if (!description) return refusal('not_readable', 'FFmpeg cannot open it.');
  const encoder = chooseEncoder(policy.codec, encoders, description);
  if (!encoder) throw new Error(`No encoder of this machine writes ${policy.codec}: dropreel doctor lists them.`);
  const unfit = whyUnfit(description, encoder);
  if (unfit) return unfit;
  const before = await inspectFile(host, original, description).catch(onlyFaultsOfFile);
  if (typeof before === 'string') return refusal('source_damaged', before);
  const incomplete = indexFault(before);
  if (incomplete) return incomplete;
  // A damaged source makes a copy without a fault that agrees with it.
  const damage = await decodeFault(host, original, description);
  return damage === undefined ? { before, encoder } : refusal('source_damaged', damage);
}
