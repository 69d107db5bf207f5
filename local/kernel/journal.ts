import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An append-only file of JSON lines, from which a service's state is rebuilt after a crash. */
export interface Journal<Record> {
  /**
   * Applies the record at once, and resolves when it is on the disk; concurrent appends share one fsync.
   * Records reach the disk in the order of the calls. When it rejects (a full disk), the record stays applied and is
   * written before the next one: for the caller the outcome is unknown, as with any failed request.
   */
  append(record: Record): Promise<void>;
  /** Resolves when all appended records are on the disk and the file is closed. */
  close(): Promise<void>;
  /** Closes like a crash: unwritten records are lost. */
  abandon(): Promise<void>;
}

/** A journal is compacted while open when it has grown to `GROWTH` times its last snapshot and exceeds `WORTH_IT` bytes. */
const GROWTH = 4;
const WORTH_IT = 2 ** 20;

/**
 * Replays `file` through `apply`, then replaces it by the records of `snapshot`, which must lead to the same state. The replacement is
 * repeated whenever the file has outgrown its last snapshot.
 * A last line without its line feed, cut by a crash, is dropped, because it was never acknowledged.
 * @throws when another line is not JSON: the file is damaged, and continuing would lose acknowledged records
 */
export async function openJournal<Record>(options: {
  file: string;
  apply: (record: Record) => void;
  /** Records of everything applied so far. Read to the end synchronously. */
  snapshot: () => Iterable<Record>;
}): Promise<Journal<Record>> {
  const { file, apply, snapshot } = options;
  await replay(file, apply);
  let { handle, position } = await replace(file, snapshot());
  await syncDirectory(dirname(file));
  let isNameSynced = true;
  let lastCompacted = position;

  let unwritten: string[] = [];
  let waiting: Waiter[] = [];
  let flushing: Promise<void> | undefined;
  let closed = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      let lines = unwritten;
      const told = waiting;
      unwritten = [];
      waiting = [];
      try {
        // The lines are already applied, so the snapshot contains them.
        if (position > Math.max(WORTH_IT, GROWTH * lastCompacted) && (await compact())) lines = [];
        await write(lines);
        for (const { resolve } of told) resolve();
      } catch (error) {
        unwritten = [...lines, ...unwritten];
        for (const { reject } of told) reject(error);
      }
    }
    // In the same turn as the last check of `waiting`: a later append starts its own flush.
    flushing = undefined;
  }

  /** Returns false when compaction failed and the old file stays in use. */
  async function compact(): Promise<boolean> {
    try {
      const old = handle;
      ({ handle, position } = await replace(file, snapshot()));
      isNameSynced = false;
      await old.close().catch(() => {});
      return true;
    } catch (error) {
      process.emitWarning(`journal ${file} could not be compacted: ${String(error)}`);
      return false;
    } finally {
      lastCompacted = position;
    }
  }

  async function write(lines: string[]): Promise<void> {
    if (!isNameSynced) await syncDirectory(dirname(file));
    isNameSynced = true;
    if (lines.length === 0) return;
    const bytes = Buffer.from(lines.join(''));
    await writeAll(handle, bytes, position);
    await handle.datasync();
    position += bytes.length;
  }

  function start(): Promise<void> {
    // Starts in the next turn, so that it includes all appends of this one.
    flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(flush);
    return flushing;
  }

  return {
    append(record) {
      if (closed) return Promise.reject(new Error(`journal ${file} is closed`));
      unwritten.push(`${JSON.stringify(record)}\n`);
      apply(record);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        void start();
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      await flushing;
      try {
        await write(unwritten);
      } finally {
        await handle.close();
      }
    },
    async abandon() {
      if (closed) return;
      closed = true;
      const lost = waiting;
      unwritten = [];
      waiting = [];
      for (const { reject } of lost) reject(new Error(`journal ${file} was abandoned`));
      await flushing;
      await handle.close();
    },
  };
}

interface Waiter {
  resolve: () => void;
  reject: (error: unknown) => void;
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
  // A longer write that failed may have left bytes after the end.
  await handle.truncate(position + bytes.length);
}

async function replay<Record>(file: string, apply: (record: Record) => void): Promise<void> {
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  let start = 0;
  for (let line = 1; ; line++) {
    const end = content.indexOf(0x0a, start);
    if (end < 0) return;
    let record: Record;
    try {
      record = JSON.parse(content.toString('utf8', start, end));
    } catch (error) {
      throw new Error(`journal ${file} is damaged at line ${line}`, { cause: error });
    }
    apply(record);
    start = end + 1;
  }
}

/** Replaces the file atomically: it is written under another name, then renamed. Resolves to the open file and its length. */
async function replace<Record>(
  file: string,
  records: Iterable<Record>,
): Promise<{ handle: FileHandle; position: number }> {
  // Before the first await, because the state behind the records may change then.
  const chunks = [...encode(records)];
  const aside = `${file}.new`;
  await rm(aside, { force: true });
  const handle = await open(aside, 'w');
  try {
    let position = 0;
    for (const bytes of chunks) {
      await writeAll(handle, bytes, position);
      position += bytes.length;
    }
    await handle.sync();
    await rename(aside, file);
    return { handle, position };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function* encode<Record>(records: Iterable<Record>): Iterable<Buffer> {
  let lines: string[] = [];
  for (const record of records) {
    lines.push(`${JSON.stringify(record)}\n`);
    if (lines.length === 1000) {
      yield Buffer.from(lines.join(''));
      lines = [];
    }
  }
  yield Buffer.from(lines.join(''));
}

/** Makes renames and new names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
