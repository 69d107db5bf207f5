import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readImageStart } from '../../../../local/batch/image.ts';

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

test('the last ENTRYPOINT and CMD count', async () => {
  expect(await read('FROM a\nCMD ["old"]\nFROM b\nENTRYPOINT ["node", "main.mjs"]\nCMD ["--fast"]\n')).toEqual({
    entrypoint: ['node', 'main.mjs'],
    command: ['--fast'],
  });
});

test('a line that goes on in the next one is one line, and lower case is fine', async () => {
  expect(await read('entrypoint ["node", \\\n  "main.mjs"]\n')).toEqual({
    entrypoint: ['node', 'main.mjs'],
    command: [],
  });
});

test('the shell form is refused, with the line', async () => {
  await expect(read('ENTRYPOINT node main.mjs\n')).rejects.toThrow(
    'ENTRYPOINT is served in its JSON form only: ENTRYPOINT node main.mjs',
  );
});

test('an image that starts nothing is refused', async () => {
  await expect(read('FROM a\n')).rejects.toThrow('has no ENTRYPOINT or CMD');
});
