import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { type Access, mediaKeys } from '../../core/contracts/keys.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { OldVersionRow } from '../../core/contracts/table/media.ts';
import { pointerKeys } from '../../core/publish/pointers.ts';
import { publishJob } from '../../functions/publish-output/publish.ts';
import { rollBack } from '../../functions/publish-output/rollback.ts';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { MEDIA_ID } from '../support/factories.ts';
import {
  firstUpload,
  jobIdOf,
  leaveOutput,
  mediaObjects,
  nextJob,
  pointerJob,
  publishServices,
} from '../support/published.ts';
import { emptyServices, startServices } from '../support/services.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const services = await startServices();
afterAll(() => services[Symbol.asyncDispose]());

const FOREVER = () => 900_000;
const publish = (n: number) => publishJob(publishServices(services), { jobId: jobIdOf(n) }, FOREVER);
const rollback = (n: number) => rollBack(publishServices(services), jobIdOf(n));

async function switchTo(playback: Access): Promise<void> {
  const key = rowKeys.collection('ann', 'talks');
  await apply(services.table, [{ op: 'update', key, expect: {}, set: { playback } }]);
}

/** A job whose output is there, of a collection that is switched to `playback`. */
async function nextOutput(playback: Access): Promise<number> {
  await switchTo(playback);
  const n = await nextJob(services);
  await leaveOutput(services, n);
  return n;
}

/** Which version each of a place's pointers is of; those of its master first. */
async function pointersAt(access: Access): Promise<(number | null)[]> {
  const jobs = pointerKeys('ann', MEDIA_ID, access).map((key) => pointerJob(services, key));
  return (await Promise.all(jobs)).map((job) => (job === undefined ? null : Number(job.split('-')[1])));
}

/**
 * The versions here have no manifest, thumbnail or large poster, as those of earlier releases. The fourth pointer of the public place is the
 * MP4's, which the private one lacks.
 */
const all = (access: Access, n: number) => [n, null, n, ...(access === 'public' ? [n] : []), null, n, null, n];
const none = (access: Access) => all(access, 0).map(() => null);

async function expectOnly(access: Access, n: number): Promise<void> {
  const other = access === 'public' ? 'private' : 'public';
  expect([await pointersAt(access), await pointersAt(other)]).toEqual([all(access, n), none(other)]);
  const master = mediaKeys('ann', MEDIA_ID, access).master;
  const expected = { state: 'ready', current: { version: n, access, outputs: { master } } };
  expect(await getMedia(services.table, MEDIA_ID)).toMatchObject(expected);
}

/** The publisher dies at its `at`th call to S3: it is done, and its answer and all calls after it are lost. */
function dieAt(at: number): void {
  let calls = 0;
  services.onCall = (when: 'before' | 'after', call: GatewayCall) => {
    if (call.service !== 's3') return;
    if (when === 'before') calls++;
    if (calls > at || (calls === at && when === 'after')) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
  };
}

async function dies(work: Promise<void>): Promise<boolean> {
  const died = await work.then(
    () => false,
    () => true,
  );
  services.onCall = () => {};
  return died;
}

/** Runs `act` just before the first PUT of `key` by the services that it gives. */
function justBefore(key: string, act: () => Promise<void>): ReturnType<typeof publishServices> {
  const late = publishServices(services);
  const send = late.s3.send.bind(late.s3);
  let met = false;
  const s3 = new Proxy(late.s3, {
    get: (target, name) => {
      if (name !== 'send') return Reflect.get(target, name);
      return async (command: Parameters<typeof send>[0]) => {
        if (!met && command instanceof PutObjectCommand && command.input.Key === key) {
          met = true;
          await act();
        }
        return send(command);
      };
    },
  });
  return { ...late, s3 };
}

beforeEach(async () => {
  await emptyServices(services);
  await firstUpload(services);
  await leaveOutput(services, 1);
  await switchTo('private');
  await publish(1);
});

/** What lies neither in the private place nor under tmp/, where results stay and nobody is served from. */
const elsewhere = async () =>
  (await mediaObjects(services)).filter((key) => !key.startsWith('private/ann/') && !key.startsWith('tmp/'));

it('a first publish of a private collection puts nothing in the public place', async () => {
  await expectOnly('private', 1);
  expect(await elsewhere()).toEqual([]);
});

it('a switch of the collection while its video is copied does not change that version', async () => {
  const n = await nextOutput('private');
  dieAt(8);
  expect(await dies(publish(n))).toBe(true);
  expect(await getJob(services.table, MEDIA_ID, n)).toMatchObject({ state: 'succeeded', access: 'private' });
  await switchTo('public');
  await publish(n);
  await expectOnly('private', n);
  expect(await elsewhere()).toEqual([]);
});

it('a publish to the other place is completed by the next message, whichever call the first publisher died at', async () => {
  let deaths = 0;
  // From the last copies on; each call of the pointers' is among them.
  for (let at = 20; ; at += 5) {
    const access = deaths % 2 ? 'private' : 'public';
    const n = await nextOutput(access);
    dieAt(at);
    const died = await dies(publish(n));
    await publish(n);
    await expectOnly(access, n);
    const old = await getRow(services.table, rowKeys.oldVersion(MEDIA_ID, n - 1), OldVersionRow);
    expect(old?.access).toBe(access === 'public' ? 'private' : 'public');
    if (!died) break;
    deaths++;
  }
  expect(deaths).toBeGreaterThan(4);
}, 120_000);

describe('a rollback to a version of the other place', () => {
  it('leaves no pointer behind, at whichever call it dies, and neither does the rollback after it', async () => {
    const first = await nextOutput('public');
    await publish(first);
    const second = await nextOutput('private');
    await publish(second);
    let [from, to] = [second, first];
    let deaths = 0;
    for (let at = 1; ; at += 3) {
      dieAt(at);
      const died = await dies(rollback(from));
      await rollback(from);
      await expectOnly(to === first ? 'public' : 'private', to);
      [from, to] = [to, from];
      if (!died) break;
      deaths++;
    }
    expect(deaths).toBeGreaterThan(5);
  }, 120_000);

  it('that a newer version overtakes shows viewers the newer one', async () => {
    const first = await nextOutput('public');
    await publish(first);
    const second = await nextOutput('private');
    await publish(second);
    const newer = await nextOutput('private');
    const overtaken = justBefore(mediaKeys('ann', MEDIA_ID, 'public').master, () => publish(newer));
    await rollBack(overtaken, jobIdOf(second));
    await expectOnly('private', newer);
  });
});

it('a late publish to the public place is cancelled after a newer version in the private one', async () => {
  await publish(await nextOutput('private'));
  const older = await nextOutput('public');
  let newer = 0;
  const late = justBefore(mediaKeys('ann', MEDIA_ID, 'public').master, async () => {
    const key = rowKeys.media(MEDIA_ID);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { state: 'ready' } }]);
    newer = await nextOutput('private');
    await publish(newer);
  });
  await publishJob(late, { jobId: jobIdOf(older) }, FOREVER);
  expect(newer).toBe(older + 1);
  await expectOnly('private', newer);
  expect(await getJob(services.table, MEDIA_ID, older)).toMatchObject({ state: 'cancelled' });
  const row = await getRow(services.table, rowKeys.oldVersion(MEDIA_ID, older), OldVersionRow);
  expect(row).toMatchObject({ todo: 'expire', access: 'public' });
});
