import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Input } from '../../../../containers/transcoder/input/input.ts';
import { readLight } from '../../../../containers/transcoder/light.ts';
import { probeSource } from '../../../../containers/transcoder/probe.ts';
import { eachPacket, firstShown } from '../../../../containers/transcoder/read-packets.ts';
import type { VideoTrack } from '../../../../core/media/probe.ts';
import { temporaryDirectory } from '../../../support/media.ts';

vi.mock('../../../../containers/transcoder/ffmpeg/run.ts', async (original) => {
  const real = await original<typeof import('../../../../containers/transcoder/ffmpeg/run.ts')>();
  const limits = { ...real.PROBE_LIMITS, timeout: 200 };
  return { ...real, PROBE_LIMITS: limits, READ_LIMITS: limits };
});

const directory = await temporaryDirectory();
afterAll(() => directory[Symbol.asyncDispose]());

/** An ffprobe that waits for bytes which do not come. */
const ffprobe = join(directory.path, 'ffprobe');
await writeFile(ffprobe, '#!/bin/sh\nexec sleep 60\n');
await chmod(ffprobe, 0o755);
const tools = { ffmpeg: 'ffmpeg', ffprobe };
const { signal } = new AbortController();

const source = (isInPlace: boolean): Input => ({
  ...{ size: 4096, isInPlace, directory: directory.path, protocols: [] },
  read: async (_, length) => Buffer.alloc(Math.min(length, 4096)),
  nameIn: () => 'source',
  hasCaptions: async () => false,
  lateCaptions: () => undefined,
  check: () => undefined,
});
const hdr = { index: 0, color: { transfer: 'smpte2084' } } as VideoTrack;

const RUNS: [string, (input: Input) => Promise<unknown>][] = [
  ['the description', (input) => probeSource(tools, input, signal)],
  ['the light', (input) => readLight(tools, input, hdr, signal)],
  ['the packets', (input) => eachPacket({ tools, input, signal }, [], () => undefined)],
  ['the first picture', (input) => firstShown({ tools, input, signal }, 0)],
];

describe('an ffprobe whose time is over', () => {
  test.each(RUNS)('in a source that is read in place: %s fails as storage, to be tried again', async (_, run) => {
    await expect(run(source(true))).rejects.toMatchObject({ code: 'storage_failed' });
  });
  test.each([RUNS[0], RUNS[2]] as typeof RUNS)('in a file on the disk: %s fails as corrupt', async (_, run) => {
    await expect(run(source(false))).rejects.toMatchObject({ code: 'corrupt' });
  });
});
