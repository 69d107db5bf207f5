import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { Encodes } from '../support/encodes.ts';
import { drop, makeClip, readJobs, readMedia } from '../support/pipeline.ts';
import { reachedInTime } from '../support/settled.ts';

/** What happens to the deliveries of the rules whose names match, on their way into a queue. */
let mishap: { rules: RegExp; do: 'drop' | 'twice' | 'late' } | undefined;
let met = 0;
let folder: string;
let sound: string;
let booted: Awaited<ReturnType<typeof testCloud>>;

function applies({ operation, principal }: GatewayCall): boolean {
  const rule = principal.type === 'service' ? (principal.sourceArn ?? '') : '';
  return operation === 'SendMessage' && mishap !== undefined && mishap.rules.test(rule);
}

const encodes = new Encodes();
const doubled = new WeakSet<GatewayCall>();
const hooks = {
  before: async (call: GatewayCall) => {
    if (!applies(call)) return;
    met += 1;
    if (mishap?.do === 'drop') throw new AwsError('AccessDenied', 403, 'Lost on purpose.');
    // Every other one comes after those that follow it within the second.
    if (mishap?.do === 'late' && met % 2 === 1) await wait(1000);
  },
  after: (call: GatewayCall) => {
    // Done, and not known to be: it is delivered again.
    if (!applies(call) || mishap?.do !== 'twice' || met % 2 === 0 || doubled.has(call)) return;
    doubled.add(call);
    throw new AwsError('InternalError', 500, 'Lost on purpose.');
  },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-events-'));
  sound = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=1');
  booted = await testCloud({ hooks: encodes.hooks(hooks) });
  encodes.watch(booted.cloud);
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('an audio file becomes ready by one job', () => {
  it.each([
    ['when the event of its upload is lost', /objectcreated/, 'drop'],
    ['when all events of its job are lost', /trackjob/, 'drop'],
    ["when the engine's events are lost, and the worker's are not", /jobstatechange/, 'drop'],
    ['when every other event is delivered twice', /./, 'twice'],
    ['when every other event is delivered late', /./, 'late'],
  ] as const)(
    '%s',
    async (title, rules, what) => {
      mishap = { rules, do: what };
      met = 0;
      const name = title.replaceAll(/\W/g, '-');
      const id = await drop(booted.cloud, `drop/ann/default/${name}.mp3`, { file: sound });
      if (rules.source === 'objectcreated') {
        await eventually('the event is lost', async () => met > 0);
        expect(await readMedia(booted.cloud, id)).toBeUndefined();
      }
      const media = await reachedInTime(booted.cloud, id, 'ready');
      mishap = undefined;
      expect(met).toBeGreaterThan(0);
      expect(media.current?.version).toBe(1);
      const jobs = await readJobs(booted.cloud, id);
      expect(jobs.map(({ state, jobId }) => [state, encodes.of(jobId)])).toEqual([['published', 1]]);
    },
    120_000,
  );
});
