import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Input } from '../../../../containers/transcoder/input/input.ts';
import { openScratch } from '../../../../containers/transcoder/scratch.ts';
import { encodeTask } from '../../../../containers/transcoder/tasks/encode.ts';
import { planEncode } from '../../../../core/media/plan.ts';
import type { MediaProbe } from '../../../../core/media/probe.ts';
import { temporaryDirectory } from '../../../support/media.ts';
import { presetNamed } from '../../../support/transcode.ts';

const song: MediaProbe = {
  ...{ format: 'mp3', startSeconds: 0, durationSeconds: 60, skipped: [] },
  audio: { index: 0, codec: 'mp3', channels: 2, sampleRate: 44_100, endSeconds: 60 },
};
const plan = planEncode(song, presetNamed('standard'), { audio: 60 });

const directory = await temporaryDirectory();
afterAll(() => directory[Symbol.asyncDispose]());
const scratch = await openScratch(join(directory.path, 'job'));

/** An ffmpeg that writes a part of its output and fails. */
const ffmpeg = join(directory.path, 'ffmpeg');
await writeFile(ffmpeg, '#!/bin/sh\necho half > half.mp4\necho "[error] It is damaged." >&2\nexit 1\n');
await chmod(ffmpeg, 0o755);

function run(worstCaseBytes: number) {
  const input = { ...{ directory: scratch.root, protocols: [] }, nameIn: () => 'source' } as Partial<Input> as Input;
  const outcomeOf = () => expect.fail('It is the first task.');
  const { signal } = new AbortController();
  return encodeTask.run({
    ...{ tools: { ffmpeg, ffprobe: 'ffprobe' }, input, scratch, signal, outcomeOf },
    plan: { ...plan, worstCaseBytes },
    onProgress: () => undefined,
  });
}

describe('the outputs of an encode that did not end', () => {
  test('are removed before the disk is measured for the next', async () => {
    await writeFile(join(scratch.out, 'half.mp4'), 'of a worker that was killed');
    await expect(run(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'disk_full' });
    expect(await readdir(scratch.out)).toEqual([]);
  });
  test('are removed when it ends, so that a source can be downloaded after all', async () => {
    await expect(run(1)).rejects.toMatchObject({ code: 'encode_failed' });
    expect(await readdir(scratch.out)).toEqual([]);
  });
});
