import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { dropKey } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow, MediaState } from '../../core/contracts/table/media.ts';
import type { EngineState } from '../../engines/engine.ts';
import type { Cloud } from '../../local/boot.ts';
import type { GatewayCall, Hooks } from '../../local/gateway/hooks.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { apiAs } from './api.ts';
import { eventually } from './cloud.ts';
import { Encodes } from './encodes.ts';
import { CONTRACTED, type Contracted, ENGINE_ROWS, type EngineRow } from './engine-rows.ts';
import { httpCloud } from './http-engine.ts';
import { drop, readJobs, readMedia, sweepNow, sweepUntilJob } from './pipeline.ts';
import { allTaken, sqsOf } from './queues.ts';
import { reachedInTime } from './settled.ts';

const MINUTE = 60_000;

/** A call that is to be the last one of who makes it. */
interface Deadly {
  /** A part of the name of the caller's role. */
  who: string;
  operation: string;
  nth: number;
  kill: () => void;
}

/** Calls that wait or are refused, at the latest until the end of the block. */
interface Held extends Disposable {
  release(): void;
}

/** A dropped file, its media item and one of its jobs. */
export interface Dropped {
  name: string;
  mediaId: string;
  jobId: string;
}

/** Roles of functions, which read what is at work on a job reads, too. */
const FUNCTIONS = /ingestupload|trackjob|sweep/;

/**
 * A cloud with every engine, each with a collection of its name, and what goes wrong on purpose: events that nobody reads, sources that
 * nobody hands out, answers that get lost, deaths.
 */
export class ContractCloud {
  readonly cloud: Cloud;
  readonly encodes: Encodes;
  readonly rows: Readonly<Record<Contracted, EngineRow>>;
  readonly #mishaps: Mishaps;
  readonly #dispose: () => PromiseLike<void>;

  private constructor(
    booted: Awaited<ReturnType<typeof httpCloud>>,
    { encodes, mishaps }: { encodes: Encodes; mishaps: Mishaps },
  ) {
    const { cloud, endpoint } = booted;
    this.cloud = cloud;
    this.encodes = encodes;
    this.#mishaps = mishaps;
    const hold = (operation: string) => {
      const isOne = (call: GatewayCall) => call.operation === operation && FUNCTIONS.test(nameOf(call));
      return mishaps.hold(isOne).release;
    };
    const context = { cloud, endpoint, lost: mishaps.lost, hold };
    const rows = CONTRACTED.map((name) => [name, ENGINE_ROWS[name](context)]);
    this.rows = Object.fromEntries(rows);
    this.#dispose = () => booted[Symbol.asyncDispose]();
  }

  static async boot(): Promise<ContractCloud> {
    const [encodes, mishaps] = [new Encodes(), new Mishaps()];
    const booted = await httpCloud(
      { hooks: encodes.hooks(mishaps.hooks) },
      { gpuEngine: { maxVcpus: 8 }, mediaConvert: true },
    );
    encodes.watch(booted.cloud);
    const ann = await apiAs(booted.cloud, 'ann');
    for (const id of CONTRACTED) {
      const { status } = await ann('POST', '/collections', { body: { id, engine: id } });
      if (status !== 201) throw new Error(`no collection ${id}: ${status}`);
    }
    return new ContractCloud(booted, { encodes, mishaps });
  }

  /** What a drop of that name is to be: known before it is there, so that its first job can be awaited. */
  async named(engine: Contracted, name: string): Promise<Dropped> {
    const key = dropKey({ creatorId: 'ann', collectionId: engine, path: name });
    const mediaId = await mediaIdFor(this.cloud.outputs.UploadsBucket ?? '', key);
    return { name, mediaId, jobId: `${mediaId}-1` };
  }

  async drop(engine: Contracted, name: string, file: string): Promise<Dropped> {
    await drop(this.cloud, `drop/ann/${engine}/${name}`, { file });
    return this.named(engine, name);
  }

  async remove({ mediaId }: Dropped): Promise<void> {
    await this.#asAnn('DELETE', `/media/${mediaId}`);
  }

  /** Another job of a media item that is ready, which sweep submits. @param n its number */
  async retranscode(dropped: Dropped, n: number): Promise<Dropped> {
    await this.#asAnn('POST', `/media/${dropped.mediaId}/retranscode`);
    await sweepUntilJob(this.cloud, dropped.mediaId, n);
    return { ...dropped, jobId: `${dropped.mediaId}-${n}` };
  }

  async #asAnn(method: string, path: string): Promise<void> {
    // A new token, because the clock is put forward by more than one lasts.
    const { status } = await (await apiAs(this.cloud, 'ann'))(method, path);
    if (status !== 202) throw new Error(`${method} ${path}: ${status}`);
  }

  async jobOf({ mediaId, jobId }: Dropped): Promise<JobRow | undefined> {
    return (await readJobs(this.cloud, mediaId)).find((job) => job.jobId === jobId);
  }

  /** The engine's id of a job, as the row has it: lists of the engine lag. */
  idAtEngine(dropped: Dropped): Promise<string> {
    return eventually('the submission is noted', async () => (await this.jobOf(dropped))?.engineJobId, 60_000);
  }

  /** The state of a job at its engine. */
  async atEngine(engine: Contracted, dropped: Dropped): Promise<EngineState> {
    return this.#stateOf(engine, await this.idAtEngine(dropped));
  }

  async #stateOf(engine: Contracted, id: string): Promise<EngineState> {
    return (await this.rows[engine].engine.describe([id])).get(id) ?? { kind: 'unknown', why: 'no answer' };
  }

  /** @param kinds `ended` and `continues` are the ends of a part */
  untilAtEngine(engine: Contracted, dropped: Dropped, ...kinds: EngineState['kind'][]): Promise<EngineState> {
    return eventually(
      `${engine} says ${kinds.join(' or ')}`,
      async () => {
        const state = await this.atEngine(engine, dropped);
        return kinds.includes(state.kind) && state;
      },
      60_000,
    );
  }

  /** Awaits that this part of a job runs; returns the engine's id of it. @param part of the engine's row */
  async untilInPart(engine: Contracted, dropped: Dropped, part: string): Promise<string> {
    const [first = ''] = Object.keys(this.rows[engine].parts);
    return eventually(
      `${dropped.name} is in its part ${part}`,
      async () => {
        const job = await this.jobOf(dropped);
        if (!job?.engineJobId || !(job.part ?? first).startsWith(part)) return undefined;
        const { kind } = await this.#stateOf(engine, job.engineJobId);
        return kind === 'running' && job.engineJobId;
      },
      60_000,
    );
  }

  /** Awaits that the engine says of a job of its that it was cancelled. @param between called after each look */
  untilCancelled(engine: Contracted, id: string, between = async () => {}): Promise<true> {
    return eventually(`${engine} has cancelled ${id}`, async () => {
      const state = await this.#stateOf(engine, id);
      if (state.kind === 'ended') {
        const { by, reason } = state.end;
        if (by !== 'outside' || reason.code !== 'cancelled') throw new Error(`It ended as ${JSON.stringify(state)}.`);
        return true;
      }
      await between();
      return undefined;
    });
  }

  async rowsOf({ mediaId }: Dropped): Promise<[MediaRow | undefined, JobRow[]]> {
    return Promise.all([readMedia(this.cloud, mediaId), readJobs(this.cloud, mediaId)]);
  }

  /** Awaits a state of the media item, with time passing whenever nothing is at work. */
  reachedInTime(
    engine: Contracted,
    { mediaId }: Pick<Dropped, 'mediaId'>,
    state: MediaState,
    pace: { timeoutMs?: number; stepMinutes?: number } = {},
  ): Promise<MediaRow> {
    return reachedInTime(this.cloud, mediaId, state, { ...pace, isEncoding: () => this.rows[engine].busy() });
  }

  /** Objects whose path contains `text` are not handed out to what is at work on a job, until they are released. */
  holdReads(text: string): Held {
    return this.#mishaps.hold((call) => {
      const isRead = call.operation === 'GetObject' && call.request?.path.includes(text);
      return isRead === true && !FUNCTIONS.test(nameOf(call));
    });
  }

  /** That part of a job does not end, until it is released. */
  holdPart(engine: Contracted, part: string, dropped: Dropped): Held {
    const reads = this.rows[engine].parts[part];
    if (!reads) throw new Error(`${engine} has no part ${part}.`);
    return this.holdReads(reads(dropped));
  }

  /** A part of any job is not submitted, until it is released. */
  holdSubmissions(engine: Contracted, part: string): Held {
    const release = this.rows[engine].holdSubmissions(part);
    return { release, [Symbol.dispose]: release };
  }

  /** AWS refuses this operation to every role, until it is released. @param error by default, that it is asked too often */
  refuse(operation: string, error = new AwsError('TooManyRequestsException', 429, 'Refused on purpose.')): Held {
    const release = () => void this.#mishaps.refused.delete(operation);
    this.#mishaps.refused.set(operation, error);
    return { release, [Symbol.dispose]: release };
  }

  /** Whatever is held goes on: after a test that has failed, the next one is not to wait. */
  releaseAll(): void {
    this.#mishaps.releaseAll();
  }

  /** Events of engines and workers stay in their queue, until they are released. */
  holdEvents(): Held {
    return this.#mishaps.hold((call) => call.operation === 'ReceiveMessage' && nameOf(call).includes('trackjob'));
  }

  /** Takes the events that are held out of their queue, in the order in which they are received. */
  async takeEvents(): Promise<string[]> {
    const sqs = sqsOf(this.cloud);
    const QueueUrl = this.cloud.outputs.TrackQueueUrl;
    const taken: string[] = [];
    // Adverse: a message may be hidden for a while, and is received twice.
    for (let empty = 0; empty < 3; ) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      empty = Messages.length === 0 ? empty + 1 : 0;
      for (const { Body = '', ReceiptHandle } of Messages) {
        taken.push(Body);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    sqs.destroy();
    return taken;
  }

  async sendEvents(events: readonly string[]): Promise<void> {
    const sqs = sqsOf(this.cloud);
    for (const MessageBody of events) {
      await sqs.send(new SendMessageCommand({ QueueUrl: this.cloud.outputs.TrackQueueUrl, MessageBody }));
    }
    sqs.destroy();
  }

  async allTaken(): Promise<void> {
    const sqs = sqsOf(this.cloud);
    await allTaken(sqs);
    sqs.destroy();
  }

  /** Lets time pass, sweep by sweep, whenever the engine has nothing to do with the job, until its media item is ready. */
  async sweptUntilReady(engine: Contracted, dropped: Dropped): Promise<void> {
    await eventually(
      `${dropped.mediaId} is ready`,
      async () => {
        const [media, [job]] = await this.rowsOf(dropped);
        if (media?.state === 'ready') return true;
        const state = job?.engineJobId === undefined ? null : await this.#stateOf(engine, job.engineJobId);
        if (state?.kind === 'waiting' || state?.kind === 'running') return undefined;
        this.cloud.clock.advance(16 * MINUTE);
        await sweepNow(this.cloud);
        return undefined;
      },
      90_000,
    );
  }

  /** The nth such call from now on is the last of who makes it, and has no effect. */
  killAt(deadly: Deadly): { happened: () => boolean } {
    return this.#mishaps.arm(deadly);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}

class Mishaps {
  readonly lost = new Set<string>();
  readonly refused = new Map<string, AwsError>();
  readonly #held = new Set<{ applies: (call: GatewayCall) => boolean; over: Promise<void>; release: () => void }>();
  #deadly: (Deadly & { left: number; last?: string | undefined }) | undefined;

  readonly hooks: Hooks = {
    before: async (call) => {
      const refusal = call.principal.type === 'role' ? this.refused.get(call.operation) : undefined;
      if (refusal) throw refusal;
      for (const { applies, over } of this.#held) if (applies(call)) await over;
      this.#count(call);
    },
    after: ({ operation, principal }) => {
      if (principal.type === 'role' && this.lost.has(operation)) {
        throw new AwsError('InternalError', 500, 'Lost on purpose.');
      }
    },
  };

  hold(applies: (call: GatewayCall) => boolean): Held {
    let letGo = () => {};
    const over = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const release = () => {
      this.#held.delete(entry);
      letGo();
    };
    const entry = { applies, over, release };
    this.#held.add(entry);
    return { release, [Symbol.dispose]: release };
  }

  releaseAll(): void {
    for (const { release } of this.#held) release();
  }

  arm(deadly: Deadly): { happened: () => boolean } {
    const armed = { ...deadly, left: deadly.nth };
    this.#deadly = armed;
    return { happened: () => armed.left === 0 };
  }

  #count(call: GatewayCall): void {
    const deadly = this.#deadly;
    if (!deadly || call.operation !== deadly.operation || !nameOf(call).includes(deadly.who)) return;
    // The SDK's tries of one call are one.
    if (call.invocation !== undefined && call.invocation === deadly.last) return;
    deadly.last = call.invocation;
    deadly.left -= 1;
    if (deadly.left > 0) return;
    this.#deadly = undefined;
    deadly.kill();
    throw new AwsError('InternalError', 500, 'Its caller died.');
  }
}

function nameOf({ principal }: GatewayCall): string {
  return principal.type === 'role' ? principal.arn.toLowerCase() : '';
}
