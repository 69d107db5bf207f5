import { statfs } from 'node:fs/promises';
import { fits, learned } from '../../core/archive/candidates.ts';
import { isInWindow, windowEnd } from '../../core/archive/window.ts';
import type { ArchivePolicy } from '../../core/contracts/archive.ts';
import { archiveRecording, nameIn, type Outcome, type Work } from './archive-recording.ts';
import { type Recording, statOf } from './recording.ts';
import { readRecord } from './records.ts';
import { type Found, type Library, scan } from './scan.ts';
import { readSpeed, writeSpeed } from './settings.ts';
import { purge, repair } from './undo.ts';

export interface PassResult {
  outcomes: Outcome[];
  /** What was finished, undone or deleted: `cam1/a.mp4: original deleted`. */
  done: string[];
  /** What needs a person. */
  problems: string[];
  /** Recordings that would not end in what is left of the window. */
  late: string[];
  /** Why candidates are left. */
  waits?: string;
}

export interface PassOptions {
  /** Whether the window counts. */
  force: boolean;
  /** Recordings to encode at most. */
  most: number;
  signal: AbortSignal;
  onOutcome: (outcome: Outcome) => void;
}

/** The window is over. */
class WindowOver extends Error {
  override readonly name = 'WindowOver';
}

/**
 * One pass over a folder: finishes or undoes what a crash left, deletes originals whose day has come, and archives candidates, the oldest
 * first, while the window lasts.
 * @throws the signal's reason
 */
export async function pass(work: Work, options: PassOptions): Promise<PassResult> {
  const { policy, now } = work;
  const result: PassResult = { outcomes: [], done: [], problems: [], late: [] };
  const closed = options.force ? undefined : whyClosed(now().getTime(), policy);
  if (closed !== undefined) return { ...result, waits: closed };
  const library = await settle(work, result);
  const queue = library.files.filter(({ standing }) => standing === 'due').slice(0, options.most);
  const next = () => (result.waits === undefined ? queue.shift() : undefined);
  const worker = async () => {
    for (let found = next(); found; found = next()) await one(work, found, options, result);
  };
  // All have ended before the lock is given back.
  const ends = await Promise.allSettled(Array.from({ length: policy.maxConcurrent }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (result.late.length > 0) result.waits ??= `too little is left of the window for ${result.late.join(', ')}`;
  return result;
}

/** Undefined in the window. */
export function whyClosed(ms: number, policy: ArchivePolicy): string | undefined {
  return isInWindow(ms, policy) ? undefined : `outside the window ${policy.window} (${policy.timeZone})`;
}

/** Repairs and deletes; returns what the folder holds then. */
async function settle(work: Work, result: PassResult): Promise<Library> {
  const now = work.now().toISOString();
  const context = { policy: work.policy, now };
  const library = await scan(work.folder, work.policy, Date.parse(now));
  result.problems.push(...library.problems);
  const attempt = async (recording: Recording, action: () => Promise<string | undefined>) => {
    try {
      const done = await action();
      if (done !== undefined) result.done.push(`${nameIn(work.folder, recording.path)}: ${done}`);
    } catch (error) {
      result.problems.push(String((error as Error).message));
    }
  };
  const interrupted = library.files
    .filter(({ standing }) => standing === 'under-way')
    .map(({ recording }) => recording);
  for (const recording of interrupted) await attempt(recording, () => repair(work.disk, recording, context));
  for (const recording of library.orphans) await attempt(recording, () => settleOrphan(work, recording));
  for (const { recording, record } of library.files) {
    if (record?.state !== 'archived') continue;
    // A restore may have been killed.
    const settled = async () =>
      (await repair(work.disk, recording, context)) ?? purge(work.disk, recording, record, context);
    await attempt(recording, settled);
  }
  return result.done.length > 0 ? scan(work.folder, work.policy, Date.parse(now)) : library;
}

/**
 * A crash on a file system without links leaves a recording without a file; so does a person, or a program that makes room. What they
 * deleted is not put back without being asked.
 */
async function settleOrphan({ disk, policy, now }: Work, recording: Recording): Promise<string | undefined> {
  const record = await readRecord(recording);
  if (record?.state === 'archived' && (await statOf(recording.original))) {
    throw new Error(`${recording.path} is gone, and its original is there: repair puts it back, or delete it.`);
  }
  return repair(disk, recording, { policy, now: now().toISOString() });
}

const LEAST_ENCODED = 0.01;

async function one(work: Work, found: Found, options: PassOptions, result: PassResult): Promise<void> {
  const { policy, folder } = work;
  const begin = work.now().getTime();
  const end = options.force ? undefined : windowEnd(begin, policy);
  const speed = await readSpeed(folder);
  const file = nameIn(folder, found.recording.path);
  const closed = options.force ? undefined : whyClosed(begin, policy);
  if (closed !== undefined) {
    result.waits = closed;
    return;
  }
  if (end !== undefined && !fits(found.bytes, end - begin, speed)) {
    // The next one may be smaller.
    result.late.push(file);
    return;
  }
  const over = new AbortController();
  const timer =
    end !== undefined && policy.overrun === 'stop'
      ? setTimeout(() => over.abort(new WindowOver()), end - begin).unref()
      : undefined;
  const started = performance.now();
  let encoded = 0;
  const watched: Work = {
    ...work,
    onProgress: (name, phase, fraction) => {
      if (phase !== 'reading') encoded = phase === 'encoding' ? fraction : 1;
      work.onProgress(name, phase, fraction);
    },
  };
  // FFmpeg reports nothing at first: one that is stopped by then is not taken for one that never ends, which nothing would start after.
  const learn = () =>
    writeSpeed(folder, learned(speed, found.bytes * Math.max(LEAST_ENCODED, encoded), performance.now() - started));
  try {
    const full = await tooFull(folder, found.bytes, policy);
    if (full !== undefined) {
      result.waits = full;
      return;
    }
    const outcome = await archiveRecording(watched, found, AbortSignal.any([options.signal, over.signal]));
    result.outcomes.push(outcome);
    options.onOutcome(outcome);
    if (encoded > 0) await learn();
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof WindowOver) {
      await learn();
      result.waits = 'the window is over; the recording in work is as it was';
    } else result.problems.push(`${file}: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Why there is no room for a new file. The original is kept beside it until its day. */
async function tooFull(folder: string, bytes: number, { minFreeSpaceGb }: ArchivePolicy): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free - bytes >= minFreeSpaceGb * 1e9) return undefined;
  return `${(free / 1e9).toFixed(1)} GB are free; ${minFreeSpaceGb} GB are to stay free`;
}
