import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFaults } from '../../local/faults/faults.ts';
import type { FaultPlan } from '../../local/faults/plan.ts';
import { smallDiskProblem } from '../../local/services/batch/small-disk.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { Encodes } from '../support/encodes.ts';
import { drop, makeClip } from '../support/pipeline.ts';
import { reachedInTime } from '../support/settled.ts';
import { type Ended, Observer } from './state.ts';

/** A part of its role's name. */
const WORKER = 'transcoderjobrole';
const MIB = 2 ** 20;

/** As AWS Batch tells them: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html */
const EXITED = 'Essential container in task exited';
const INTERRUPTED = 'Your Spot Task was interrupted.';
const ENDED_WELL = { statusReason: EXITED, exitCode: 0 };
const KILLED = { statusReason: EXITED, exitCode: 137 };
const OUT_OF_MEMORY = { ...KILLED, reason: 'OutOfMemoryError: Container killed due to memory usage' };
const FAILED_FOR_GOOD = { statusReason: EXITED, exitCode: 65 };

const faults = createFaults([]);
const encodes = new Encodes();
const noSmallDisk = await smallDiskProblem();
if (noSmallDisk) console.warn(`${noSmallDisk}: workers with a full disk are not tried`);

let folder: string;
/** Two seconds, 384,044 bytes. */
let sound: string;
let booted: Awaited<ReturnType<typeof testCloud>>;
let observer: Observer;
let undisturbed: Ended;
let flows = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-worker-'));
  sound = await makeClip(
    join(folder, 'tone.wav'),
    ...['-f', 'lavfi', '-i', 'sine=frequency=300:duration=2:sample_rate=48000', '-ac', '2'],
  );
  booted = await testCloud({ faults, hooks: encodes.hooks(faults.hooks) });
  encodes.watch(booted.cloud);
  observer = new Observer(booted.cloud);
  undisturbed = (await run([], 'ready')).ended;
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function run(plan: FaultPlan, state: 'ready' | 'failed') {
  faults.arm(plan);
  const id = await drop(booted.cloud, `drop/ann/default/tone-${++flows}.wav`, { file: sound });
  await reachedInTime(booted.cloud, id, state);
  const [job] = await observer.jobs(id);
  if (state === 'ready') {
    await eventually('its temporary objects are gone', async () => (await observer.leftovers(id)).length === 0);
  }
  return {
    ended: await observer.end(id),
    left: (await observer.leftovers(id)).map((key) => basename(key)),
    attempts: await observer.attempts(job?.jobId ?? ''),
    encodes: encodes.of(job?.jobId ?? ''),
    fired: faults.fired.map(({ fault }) => fault),
  };
}

const atStep = (step: string) => ({
  event: { 'detail-type': 'Job Progress', detail: { step }, target: 'trackwork' },
  nth: 1,
});
const fillDisk = { type: 'fill-disk' } as const;

describe('the result of an audio file is complete after one job when its worker', () => {
  it.each<[string, FaultPlan, object]>([
    ['is killed at a step', [{ ...atStep('pulled'), do: { type: 'kill', cause: 'SIGKILL' } }], KILLED],
    [
      'is stopped with notice',
      [
        {
          call: { service: 's3', operation: 'PutObject', principal: WORKER },
          nth: 2,
          do: { type: 'kill', cause: 'reclaim' },
        },
      ],
      { statusReason: INTERRUPTED, exitCode: 143 },
    ],
    [
      'loses its host',
      [{ ...atStep('pulled'), do: { type: 'kill', cause: 'host-lost' } }],
      { statusReason: INTERRUPTED },
    ],
    ['exceeds its memory', [{ attempt: 1, do: { type: 'memory', MiB: 32 } }], OUT_OF_MEMORY],
    [
      'is killed at a byte of its source',
      [{ bytes: { direction: 'pulled', principal: WORKER, at: 200_000 }, do: { type: 'kill', cause: 'SIGKILL' } }],
      KILLED,
    ],
    [
      'is killed at a byte of its output',
      [{ bytes: { direction: 'pushed', principal: WORKER, at: 20_000 }, do: { type: 'kill', cause: 'SIGKILL' } }],
      KILLED,
    ],
  ])('%s', async (_title, plan, first) => {
    const { ended, attempts, fired, encodes } = await run(plan, 'ready');
    expect(attempts).toEqual([first, ENDED_WELL]);
    expect(fired).toEqual([0]);
    expect(encodes).toBe(1);
    expect(ended).toEqual(undisturbed);
  });
});

describe('an audio file fails with the reason, and nothing of it is published, when each attempt', () => {
  it('exceeds its memory', async () => {
    const { ended, attempts } = await run([{ attempt: 'every', do: { type: 'memory', MiB: 32 } }], 'failed');
    expect(attempts).toEqual([OUT_OF_MEMORY, OUT_OF_MEMORY, OUT_OF_MEMORY]);
    expect(ended).toEqual({ state: 'failed', kind: 'audio', error: 'out_of_memory', jobs: ['failed'], objects: {} });
  });
});

describe('an audio file fails with the reason at the first attempt, and nothing of it is published, when it', () => {
  it.skipIf(noSmallDisk).each<[string, FaultPlan[number]]>([
    [
      'finds its disk full as it pulls',
      { bytes: { direction: 'pulled', principal: WORKER, at: 200_000 }, do: fillDisk },
    ],
    [
      'finds its disk full as it encodes',
      { call: { service: 'events', operation: 'PutEvents', principal: WORKER }, nth: 1, do: fillDisk },
    ],
  ])('%s', async (_title, fault) => {
    const plan: FaultPlan = [{ attempt: 1, do: { type: 'disk', bytes: 64 * MIB } }, fault];
    const { ended, attempts, left } = await run(plan, 'failed');
    expect(attempts).toEqual([FAILED_FOR_GOOD]);
    expect(left).toEqual([]);
    expect(ended).toEqual({ state: 'failed', kind: 'audio', error: 'disk_full', jobs: ['failed'], objects: {} });
  });
});
