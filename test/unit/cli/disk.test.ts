import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { diskOf } from '../../../cli/disk.ts';

// A file system of which nothing is free.
it.runIf(process.platform === 'linux')('a disk with nothing free has a problem that says what to do', async () => {
  expect(await diskOf('/proc')).toEqual({
    directory: '/proc',
    freeBytes: 0,
    problem: 'Only 0 B are free at /proc: remove media, or use another directory (npm run dev -- --state DIR).',
  });
});

it('a directory that does not exist has no disk', async () => {
  expect(await diskOf(`${tmpdir()}/no-such-directory`)).toBeUndefined();
});
