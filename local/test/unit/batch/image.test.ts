import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readImageStart } from '../../../services/batch/image.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'image-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function read(text: string) {
  const file = join(dir, 'Dockerfile');
  await writeFile(file, text);
  return readImageStart(file);
}

test('the last ENTRYPOINT and the last CMD are used', async () => {
  expect(await read('FROM a\nCMD ["old"]\nFROM b\nENTRYPOINT ["node", "main.mjs"]\nCMD ["--fast"]\n')).toEqual({
    entrypoint: ['node', 'main.mjs'],
    command: ['--fast'],
  });
});

test('a continued line is read as one line, and instructions may be in lower case', async () => {
  expect(await read('entrypoint ["node", \\\n  "main.mjs"]\n')).toEqual({
    entrypoint: ['node', 'main.mjs'],
    command: [],
  });
});

test('the shell form is refused, and the line is named', async () => {
  await expect(read('ENTRYPOINT node main.mjs\n')).rejects.toThrow(
    'ENTRYPOINT is served in its JSON form only: ENTRYPOINT node main.mjs',
  );
});

test('an image without a command is refused', async () => {
  await expect(read('FROM a\n')).rejects.toThrow('has no ENTRYPOINT or CMD');
});
