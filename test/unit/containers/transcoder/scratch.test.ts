import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeOthers } from '../../../../containers/transcoder/scratch.ts';
import { temporaryDirectory } from '../../../support/media.ts';

it('what other jobs have left on a disk is removed, and nothing else', async () => {
  await using directory = await temporaryDirectory();
  const [mine, other] = [`${'a'.repeat(26)}-1`, `${'b'.repeat(26)}-2`];
  for (const name of [mine, other, 'lost+found']) await mkdir(join(directory.path, name));
  await writeFile(join(directory.path, other, 'source'), 'of somebody else');
  await removeOthers(directory.path, mine);
  expect((await readdir(directory.path)).sort()).toEqual([mine, 'lost+found']);
});
