import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { FileSystem } from '../../../../cli/archive/file-system.ts';
import type { Recording } from '../../../../cli/archive/recording.ts';
import { readRecord } from '../../../../cli/archive/records.ts';
import { purge, repair, restore } from '../../../../cli/archive/undo.ts';
import { ARCHIVED, LATER, library, NOW, ORIGINAL, policy, QUICK, replaceIt } from '../../../support/archived.ts';
import { temporaryDirectory } from '../../../support/media.ts';

/**
 * The process is killed before and after each call that changes a file. Names are not lost with it, as they would be with the power: that
 * is what the calls of `sync` are for, whose order is tested alone.
 */
class Killed extends Error {}

type Moment = 'before' | 'after';

/** A disk whose process dies at call `at`, counted from 0. */
function dying(at: number, moment: Moment, hasLinks: boolean): FileSystem & { calls: string[] } {
  const calls: string[] = [];
  const call =
    <Args extends string[]>(name: string, act: (...args: Args) => Promise<void>) =>
    async (...args: Args) => {
      calls.push(name);
      const isHere = calls.length - 1 >= at;
      if (isHere && moment === 'before') throw new Killed();
      await act(...args);
      if (isHere) throw new Killed();
    };
  const noLink = async () => {
    throw Object.assign(new Error('link'), { code: 'EPERM' });
  };
  return {
    ...{
      calls,
      create: call('create', QUICK.create),
      write: call('write', QUICK.write),
      sync: call('sync', QUICK.sync),
    },
    ...{ syncDirectory: call('syncDirectory', QUICK.syncDirectory), rename: call('rename', QUICK.rename) },
    ...{ link: call('link', hasLinks ? QUICK.link : noLink), unlink: call('unlink', QUICK.unlink) },
    copyAttributes: call('copyAttributes', QUICK.copyAttributes),
  };
}

const NEVER = Number.POSITIVE_INFINITY;
async function purgeIt(disk: FileSystem, recording: Recording): Promise<void> {
  const record = await readRecord(recording);
  if (record?.state === 'archived') await purge(disk, recording, record, { policy, now: LATER });
}

const FLOWS: Record<string, { prepare: (recording: Recording) => Promise<void>; act: typeof replaceIt }> = {
  replace: { prepare: async () => {}, act: replaceIt },
  purge: { prepare: (recording) => replaceIt(QUICK, recording), act: purgeIt },
  restore: {
    prepare: (recording) => replaceIt(QUICK, recording),
    act: (disk, recording) => restore(disk, recording, { policy, now: NOW }),
  },
};

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** A complete copy is there: under the recording's name, or as the original, which `repair` puts back. */
async function expectCopy(recording: Recording): Promise<void> {
  const [here, kept] = [await contentOf(recording.path), await contentOf(recording.original)];
  expect([ORIGINAL, ARCHIVED]).toContain(here ?? kept);
  expect(here === ARCHIVED || here === ORIGINAL || kept === ORIGINAL).toBe(true);
}

/** What there is in the end: the names in the folder, and what the recording holds by its record. */
async function expectSettled(recording: Recording): Promise<string> {
  const [record, here] = [await readRecord(recording), await contentOf(recording.path)];
  const names = (await readdir(recording.directory)).sort();
  const state = record?.state ?? 'none';
  const expected = {
    none: { here: ORIGINAL, names: ['a.mp4'] },
    refused: { here: ORIGINAL, names: ['a.mp4', 'a.mp4.archive.json'] },
    archived: { here: ARCHIVED, names: ['a.mp4', 'a.mp4.archive.json', 'a.mp4.original'] },
    purged: { here: ARCHIVED, names: ['a.mp4', 'a.mp4.archive.json'] },
  }[state as 'none'];
  expect({ here, names }).toEqual(expected);
  if (state === 'archived') expect(await contentOf(recording.original)).toBe(ORIGINAL);
  return state;
}

const CASES = [
  { flow: 'replace', hasLinks: true },
  { flow: 'replace', hasLinks: false },
  { flow: 'purge', hasLinks: true },
  { flow: 'restore', hasLinks: true },
];

test.each(
  CASES,
)('killed at each call of $flow, and of the repair after it (links: $hasLinks), a complete copy is left', async ({
  flow,
  hasLinks,
}) => {
  const { prepare, act } = FLOWS[flow] ?? {};
  let kills = 0;
  const states = new Set<string>();
  const killAt = async (
    at: number,
    moment: Moment,
    repairAt: number,
  ): Promise<{ acted: boolean; repaired: boolean }> => {
    await using directory = await temporaryDirectory();
    const recording = await library(directory.path);
    await prepare?.(recording);
    const died = (error: unknown) => {
      if (!(error instanceof Killed)) throw error;
      return true;
    };
    const acted = await (act?.(dying(at, moment, hasLinks), recording) ?? Promise.resolve()).then(() => false, died);
    await expectCopy(recording);
    const disk = dying(repairAt, moment, hasLinks);
    const repaired = await repair(disk, recording, { policy, now: NOW }).then(() => false, died);
    await expectCopy(recording);
    if (repaired) await repair(QUICK, recording, { policy, now: NOW });
    states.add(await expectSettled(recording));
    kills += Number(acted) + Number(repaired);
    return { acted, repaired };
  };
  for (const moment of ['before', 'after'] as const) {
    for (let at = 0; (await killAt(at, moment, NEVER)).acted; at++) {
      for (let repairAt = 0; (await killAt(at, moment, repairAt)).repaired; repairAt++);
    }
  }
  const ends = { replace: ['archived', 'none'], purge: ['archived', 'purged'], restore: ['archived', 'refused'] }[flow];
  expect([...states].sort()).toEqual(ends);
  console.info(`${flow}, ${hasLinks ? 'with' : 'without'} links: killed ${kills} times`);
  expect(kills).toBeGreaterThan(10);
});

test('what a rename depends on is on the disk before it', async () => {
  await using directory = await temporaryDirectory();
  const disk = dying(NEVER, 'before', true);
  await replaceIt(disk, await library(directory.path));
  const record = ['write', 'sync', 'rename', 'syncDirectory'];
  const calls = ['copyAttributes', 'sync', ...record, 'link', 'syncDirectory', 'rename', 'syncDirectory', ...record];
  expect(disk.calls).toEqual(calls);
});
