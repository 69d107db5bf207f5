import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hashOfInputs, hashOfTemplate } from '../../../scripts/inputs.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dropreel-inputs-'));
  await Promise.all(['core/media', 'cdk.out', 'test'].map((folder) => mkdir(join(root, folder), { recursive: true })));
  await write('core/media/probe.ts', 'a');
  await write('cdk.json', '{}');
  await write('cdk.out/Dropreel.template.json', '{}');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (path: string, text: string) => writeFile(join(root, path), text);

it('what a build reads is the same until a file, its name or the configuration changes', async () => {
  const hashes = [await hashOfInputs(root)];
  await write('test/probe.test.ts', 'not read by a build');
  expect(await hashOfInputs(root)).toBe(hashes[0]);
  await write('core/media/probe.ts', 'b');
  hashes.push(await hashOfInputs(root));
  await write('core/media/other.ts', '');
  hashes.push(await hashOfInputs(root));
  await write('cdk.json', '{"context":{}}');
  hashes.push(await hashOfInputs(root));
  expect(new Set(hashes).size).toBe(4);
});

it('a template that something else has written is another one', async () => {
  const before = await hashOfTemplate(root);
  await write('cdk.out/Dropreel.template.json', '{"Resources":{}}');
  expect(await hashOfTemplate(root)).not.toBe(before);
});
