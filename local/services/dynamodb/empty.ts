import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sqlite from 'node-sqlite3-wasm';

/**
 * For each write to a table with a stream, dynoxide 1.2 looks up the stream's last sequence number without an index: it
 * reads every record with its images, so 10,000 records make a write 40 times slower.
 */
const INDEX = 'CREATE INDEX last_record ON _stream_records (table_name, CAST(sequence_number AS INTEGER))';

const CACHE = resolve('node_modules/.cache/local-cloud');

/**
 * Creates an empty database with that index at `file`, if the file does not exist. The result of `create` is cached for later calls.
 * @param version of the program, because databases of two versions may differ
 * @param create lets the program create a database at that path and end
 */
export async function ensureDatabase(
  file: string,
  version: string,
  create: (file: string) => Promise<void>,
): Promise<void> {
  if (await exists(file)) return;
  const empty = join(CACHE, `dynoxide-${version}.sqlite`);
  if (!(await exists(empty))) {
    await mkdir(CACHE, { recursive: true });
    await whole(empty, async (path) => {
      await create(path);
      addIndex(path);
    });
  }
  await whole(file, (path) => copyFile(empty, path));
}

function addIndex(file: string): void {
  const database = new sqlite.Database(file);
  try {
    // This build has no shared memory, which a database with a write-ahead log needs unless it has only one user.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec(INDEX);
  } finally {
    database.close();
  }
}

/** Writes a file atomically. */
async function whole(file: string, write: (path: string) => Promise<void>): Promise<void> {
  const path = `${file}.${randomUUID()}`;
  try {
    await write(path);
    await rename(path, file);
  } finally {
    await rm(path, { force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
