import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { Cloud } from '../../local/boot.ts';
import type { GatewayCall, Hooks } from '../../local/gateway/hooks.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { apiAs } from './api.ts';
import { eventually } from './cloud.ts';
import { drop, reached, readJobs, readMedia } from './pipeline.ts';
import { sqsOf } from './queues.ts';
import { reachedInTime } from './settled.ts';

const HOUR = 3_600_000;

/** Calls that are to fail once, with every try of the SDK: a part of the caller's name, and the operation. */
const ONCE = [
  { moment: 'before', who: 'ingestupload', operation: 'SubmitJob' },
  { moment: 'before', who: 'publishoutput', operation: 'TransactWriteItems' },
  { moment: 'before', who: 'sweeprole', operation: 'GetItem' },
] as const;

/** Breaks a cloud in the ways for which its roles have permissions that nothing else needs. */
export class Mishaps {
  /** Whether what AWS Batch and the worker say of jobs gets lost. */
  deaf = false;
  #deadly: { who: string; kill: () => void } | undefined;
  readonly #pending = new Set<(typeof ONCE)[number]>();
  readonly #failing = new Set<string | undefined>();

  arm(): void {
    for (const one of ONCE) this.#pending.add(one);
  }

  /** Whoever has that in the name of its role dies as it begins to put the next MP4: its job is claimed by then. */
  killAtMp4(who: string, kill: () => void): void {
    this.#deadly = { who, kill };
  }

  readonly hooks: Hooks = {
    before: (call) => {
      const name = JSON.stringify(call.principal);
      if (this.deaf && call.operation === 'SendMessage' && name.includes('rule/') && name.includes('track')) {
        throw new AwsError('AccessDenied', 403, 'Lost on purpose.');
      }
      const isMp4 = call.operation === 'PutObject' && call.request?.path.endsWith('.mp4');
      if (isMp4 && this.#deadly && name.includes(this.#deadly.who)) {
        const { kill } = this.#deadly;
        this.#deadly = undefined;
        kill();
      }
      this.#failOnce('before', call, name);
    },
    after: (call) => this.#failOnce('after', call, JSON.stringify(call.principal)),
  };

  #failOnce(moment: 'before' | 'after', call: GatewayCall, name: string): void {
    if (call.invocation === undefined) return;
    const due = [...this.#pending].find((one) => {
      return one.moment === moment && one.operation === call.operation && name.includes(one.who);
    });
    if (due) {
      this.#pending.delete(due);
      this.#failing.add(call.invocation);
    }
    if (this.#failing.has(call.invocation)) throw new AwsError('InternalError', 500, 'Failed on purpose.');
  }
}

/** Lost answers and a killed worker; lost ends; a job ended by an operator, and one by a deletion; rows that were lost. */
export async function sufferMishaps(cloud: Cloud, mishaps: Mishaps, sound: string): Promise<void> {
  const put = (name: string) => drop(cloud, `drop/ann/kept/${name}`, { file: sound });
  const { table } = developerClients(cloud);
  mishaps.arm();
  mishaps.killAtMp4('jobrole', () => {
    for (const id of cloud.batch.running()) cloud.batch.kill(id, 'SIGKILL').catch(() => {});
  });
  await cloud.fireSchedule('sweep');
  const killed = await put('killed.mp3');
  await eventually('it is known', async () => (await readMedia(cloud, killed)) !== undefined, 60_000);
  await eventually('its submission has failed', async () => cloud.lambda.running().length === 0, 60_000);
  // The message comes again before sweep takes the job for a silent one.
  cloud.clock.advance(7 * 60_000);
  await reachedInTime(cloud, killed, 'ready', { timeoutMs: 120_000 });

  mishaps.deaf = true;
  const unheard = await put('unheard.mp3');
  await eventually('its submission is noted', async () => (await readJobs(cloud, unheard))[0]?.engineJobId, 60_000);
  await silence(cloud, unheard, 'REMOVE engineJobId');
  await cloud.fireSchedule('sweep');
  await reachedInTime(cloud, unheard, 'ready', { timeoutMs: 120_000 });
  mishaps.deaf = false;

  const ended = await put('ended.mp3');
  await cloud.batch.kill(await underWay(cloud), 'terminate');
  await reached(cloud, ended, 'failed');
  for (const Key of [rowKeys.media(ended), rowKeys.job(ended, 1)]) {
    // A function may be in a transaction with the row.
    await eventually('the row is lost', () =>
      table.send(new DeleteCommand({ TableName: cloud.outputs.Table, Key })).then(
        () => true,
        (error: Error) => {
          if (error.name === 'TransactionConflictException') return false;
          throw error;
        },
      ),
    );
  }

  const deleted = await put('deleted.mp3');
  await underWay(cloud);
  await (await apiAs(cloud, 'ann'))('DELETE', `/media/${deleted}`);
  await cloud.fireSchedule('sweep');

  await sendEventOfNothing(cloud);
  cloud.clock.advance(HOUR);
  await cloud.fireSchedule('sweep');
  await eventually('the lost row is back', async () => (await readMedia(cloud, ended)) !== undefined, 60_000);
}

async function underWay(cloud: Cloud): Promise<string> {
  return eventually('a job runs', async () => cloud.batch.running()[0], 60_000);
}

/** Nobody has heard of the job for an hour. */
async function silence(cloud: Cloud, mediaId: string, more = ''): Promise<void> {
  await developerClients(cloud).table.send(
    new UpdateCommand({
      TableName: cloud.outputs.Table,
      Key: rowKeys.job(mediaId, 1),
      UpdateExpression: `SET heartbeatAt = :at, todoAt = :at ${more}`,
      ExpressionAttributeValues: { ':at': new Date(cloud.clock.now() - HOUR).toISOString() },
    }),
  );
}

/** Of an object that was removed before anyone looked. */
async function sendEventOfNothing(cloud: Cloud): Promise<void> {
  const sqs = sqsOf(cloud);
  const object = { key: 'drop/ann/kept/nothing.mp3', size: 1, etag: 'none', sequencer: '1' };
  const event = {
    id: 'made-up',
    time: new Date().toISOString(),
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: cloud.outputs.UploadsBucket }, object },
  };
  await sqs.send(
    new SendMessageCommand({ QueueUrl: cloud.outputs.IngestQueueUrl, MessageBody: JSON.stringify(event) }),
  );
  sqs.destroy();
}
