import type { Job, Reading } from '../../../core/contracts/job.ts';
import { SMALL_BYTES } from '../../../core/media/in-place.ts';
import { log } from '../log.ts';
import { complete, type PullRun } from '../pull.ts';
import { bring, isRendition } from '../pull-rendition.ts';
import { InPlace, Scattered } from './in-place.ts';
import type { Input } from './input.ts';
import { headSource } from './ranges.ts';
import { whyDownload } from './where.ts';

export interface SourceRun extends PullRun {
  job: Pick<Job, 'source' | 'output'>;
  /** Called once, when all of it has been read that will be. */
  onRead: () => void;
}

/** @param input The source in S3; absent: it lies on the scratch disk. */
type Use<T> = (signal: AbortSignal, input?: Input) => Promise<T>;

/**
 * Gives the source to `use`: where it lies in S3, or downloaded to the scratch disk first, where that is quicker. If it turns out to be read
 * here and there, it is downloaded after all, and `use` is called again.
 * @throws DropreelError of `use`, or for a source that cannot be read, whatever became of `use` then
 */
export async function withSource<T>(run: SourceRun, use: Use<T>): Promise<{ value: T; reading: Reading }> {
  const tried = await inPlace(run, use);
  if ('value' in tried) return tried;
  const { why } = tried;
  log('info', 'the source is downloaded first', { why });
  await bring(run.job, run);
  run.onRead();
  return { value: await use(run.signal), reading: { how: 'downloaded', why } };
}

async function inPlace<T>(run: SourceRun, use: Use<T>): Promise<{ value: T; reading: Reading } | { why: string }> {
  const { source, scratch, signal } = run;
  if (await complete(scratch.source, source.size)) return { why: 'An earlier attempt has downloaded it.' };
  if (isRendition(run.job)) return { why: 'It is a rendition, in files of its own.' };
  if (source.size < SMALL_BYTES) return { why: `It has less than ${SMALL_BYTES / 1024 ** 2} MiB.` };
  await using object = await InPlace.open(run, scratch.root, await headSource(run));
  try {
    const why = await whyDownload(object);
    if (why !== undefined) return { why };
    const value = await use(object.signal, object);
    object.signal.throwIfAborted();
    run.onRead();
    return { value, reading: { how: 'in place', ...object.traffic } };
  } catch (error) {
    const reason: unknown = object.signal.aborted && !signal.aborted ? object.signal.reason : error;
    if (reason instanceof Scattered) return { why: reason.message };
    throw reason;
  }
}
