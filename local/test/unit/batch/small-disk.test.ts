import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { smallDiskProblem } from '../../../services/batch/small-disk.ts';
import { printed, startWorld, type World } from '../../support/batch-world.ts';

const MIB = 2 ** 20;

/** Appends up to 64 MiB to a file on its disk, in pieces of 64 KiB; ends with the number of the error that it meets. */
const WRITE = `
const { appendFileSync, existsSync, readdirSync } = require('node:fs');
const { SCRATCH_DIR, DROPREEL_HOLD: HOLD } = process.env;
console.log('found', readdirSync(SCRATCH_DIR));
const hold = setInterval(() => {
  if (HOLD && !existsSync(HOLD)) return;
  clearInterval(hold);
  try {
    for (let i = 0; i < 1024; i++) appendFileSync(SCRATCH_DIR + '/written', Buffer.alloc(64 * 1024));
  } catch (error) {
    process.exit(-error.errno);
  }
}, 5);
`;
/** errno(3) of Linux. */
const ENOSPC = 28;

const program = { container: { Command: ['-e', WRITE] }, entrypoint: '["node"]' };
const problem = await smallDiskProblem();
if (problem) console.warn(`${problem}: tests of full disks are skipped`);

let world: World;
afterEach(async () => {
  vi.unstubAllEnvs();
  await world.close();
});

test.skipIf(problem)(
  'a disk with a size is full when that much is written, and is empty at the start of each attempt',
  async () => {
    world = await startWorld({
      ...program,
      shortage: { diskBytes: 4 * MIB },
      definition: { RetryStrategy: { Attempts: 2 } },
    });
    const id = await world.submit();
    const { attempts } = await world.until(id, 'FAILED');
    expect(attempts?.map(({ container }) => container?.exitCode)).toEqual([ENOSPC, ENOSPC]);
    expect(await readFile(world.batch.logFile(id, 2), 'utf8')).toBe('found []\n');
  },
);

test.skipIf(problem)('a disk can be filled up while a program writes to it', async () => {
  world = await startWorld({ ...program, shortage: { diskBytes: 256 * MIB } });
  const hold = join(world.dir, 'go');
  const id = await world.submit({ HOLD: hold });
  await world.until(id, 'RUNNING');
  await printed(world, id, 'found []');
  await world.batch.fillDisk(id);
  await world.release(hold);
  expect((await world.until(id, 'FAILED')).container?.exitCode).toBe(ENOSPC);
});

test('the disk of the machine is never filled', async () => {
  world = await startWorld();
  const hold = join(world.dir, 'go');
  const id = await world.submit({ HOLD: hold });
  await world.until(id, 'RUNNING');
  await expect(world.batch.fillDisk(id)).rejects.toThrow(`job ${id} has no disk of its own size`);
  await world.release(hold);
  await world.until(id, 'SUCCEEDED');
});

test('an attempt fails with the reason where such a disk cannot be created', async () => {
  vi.stubEnv('PATH', '');
  world = await startWorld({ ...program, shortage: { diskBytes: 4 * MIB } });
  const { statusReason, container } = await world.until(await world.submit(), 'FAILED');
  expect(statusReason).toBe('Task failed to start');
  expect(container?.reason).toBe(
    'CannotStartContainerError: A disk of a size needs Linux with mount namespaces, as root or with user namespaces allowed: spawn unshare ENOENT',
  );
});
