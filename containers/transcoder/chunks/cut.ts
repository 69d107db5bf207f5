import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Job } from '../../../core/contracts/job.ts';
import { PREPARED_FILE } from '../../../core/contracts/keys.ts';
import { bounded } from '../../../core/contracts/warnings.ts';
import { chunkCount, FARGATE } from '../../../core/media/chunk-count.ts';
import { cutChunks, whyWhole } from '../../../core/media/chunks.ts';
import { encodeSeconds } from '../../../core/media/estimate.ts';
import { planEncode } from '../../../core/media/plan.ts';
import { Prepared } from '../../../core/media/prepared.ts';
import { plannedWarnings } from '../../../core/media/warnings.ts';
import type { WorkerContext } from '../context.ts';
import type { Input } from '../input/input.ts';
import { log } from '../log.ts';
import type { Probed } from '../probe.ts';
import { sourceInfo } from '../transcode.ts';
import { cpuSeconds } from '../usage.ts';

/** Thrown by a worker in the place of an encode of the whole: the film is left to others, in chunks. */
export class LeftInChunks extends Error {
  override readonly name = 'LeftInChunks';
  readonly prepared: Prepared;

  constructor(prepared: Prepared) {
    super(`The film is encoded in ${prepared.chunks} chunks.`);
    this.prepared = prepared;
  }
}

type CutTask = Extract<NonNullable<Job['task']>, { name: 'cut' }>;

/** @throws LeftInChunks for a film that is to be encoded in chunks */
export async function cutIfLong(
  job: Job,
  { vcpus, chunkSeconds, starts = FARGATE, ...of }: CutTask & { chunkSeconds: number | undefined },
  {
    probed,
    input,
    signal,
    cpuBefore,
    startedAt,
  }: { probed: Probed; input: Input; signal: AbortSignal; cpuBefore: number; startedAt: number },
): Promise<void> {
  const { probe, ends, report, audioTracks, warnings } = probed;
  // A source that is downloaded has no index that a worker could go by to its chunk.
  if (!input.isInPlace || !probe.video) return;
  const planned = () => planEncode(probe, job.preset, ends);
  const film = planned();
  const whole = encodeSeconds(sourceInfo(probe, film), job.preset, vcpus) ?? 0;
  const wanted = chunkSeconds
    ? film.durationSeconds / chunkSeconds
    : chunkCount(film.durationSeconds, whole, { ...of, starts });
  const { length: chunks } = cutChunks(film, Math.floor(wanted));
  if (chunks < 2) return;
  // The plan of a chunk cannot change while it is encoded, as that of a whole film does.
  if (probed.look) probe.video.combed = await probed.look(signal);
  delete probed.look;
  const plan = planned();
  const why = whyWhole(plan);
  if (why !== undefined) return log('info', 'a long film is encoded whole', { why });
  throw new LeftInChunks({
    ...{ jobId: job.jobId, probe, ends, audioTracks, report, chunks },
    warnings: bounded([...plannedWarnings(probe, plan, report.tracks), ...warnings]),
    cpuSeconds: (await cpuSeconds()) - cpuBefore,
    wallSeconds: (performance.now() - startedAt) / 1000,
  });
}

/** Leaves under the job's prefix what the workers of the chunks are to know. */
export async function leaveInChunks({ s3 }: WorkerContext, { output }: Job, prepared: Prepared): Promise<void> {
  const Body = JSON.stringify(Prepared.parse(prepared));
  const Key = `${output.prefix}${PREPARED_FILE}`;
  await s3.send(new PutObjectCommand({ Bucket: output.bucket, Key, Body, ContentType: 'application/json' }));
}
