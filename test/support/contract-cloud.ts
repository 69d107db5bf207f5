import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
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
import { drop, readJobs, readMedia, sweepNow } from './pipeline.ts';
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

/** Calls that wait, at the latest until the end of the block. */
interface Held extends Disposable {
  release(): void;
}

/** Of a drop: its media item, and its first job. */
export interface Dropped {
  mediaId: string;
  jobId: string;
}

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
    const rows = CONTRACTED.map((name) => [name, ENGINE_ROWS[name]({ cloud, endpoint, lost: mishaps.lost })]);
    this.rows = Object.fromEntries(rows);
    this.#dispose = () => booted[Symbol.asyncDispose]();
  }

  static async boot(): Promise<ContractCloud> {
    const [encodes, mishaps] = [new Encodes(), new Mishaps()];
    const booted = await httpCloud({ hooks: encodes.hooks(mishaps.hooks) }, { gpuEngine: { maxVcpus: 8 } });
    encodes.watch(booted.cloud);
    const ann = await apiAs(booted.cloud, 'ann');
    for (const id of CONTRACTED) {
      const { status } = await ann('POST', '/collections', { body: { id, engine: id } });
      if (status !== 201) throw new Error(`no collection ${id}: ${status}`);
    }
    return new ContractCloud(booted, { encodes, mishaps });
  }

  async drop(engine: Contracted, name: string, file: string): Promise<Dropped> {
    const mediaId = await drop(this.cloud, `drop/ann/${engine}/${name}`, { file });
    return { mediaId, jobId: `${mediaId}-1` };
  }

  async remove({ mediaId }: Dropped): Promise<void> {
    // A new token, because the clock is put forward by more than one lasts.
    const { status } = await (await apiAs(this.cloud, 'ann'))('DELETE', `/media/${mediaId}`);
    if (status !== 202) throw new Error(`not deleted: ${status}`);
  }

  /** The engine's id of a job, as the row has it: lists of the engine lag. */
  idAtEngine({ mediaId }: Dropped): Promise<string> {
    const noted = async () => (await readJobs(this.cloud, mediaId))[0]?.engineJobId;
    return eventually('the submission is noted', noted);
  }

  /** The state of a job at its engine. */
  async atEngine(engine: Contracted, dropped: Dropped): Promise<EngineState> {
    const id = await this.idAtEngine(dropped);
    return (await this.rows[engine].engine.describe([id])).get(id) ?? { kind: 'unknown', why: 'no answer' };
  }

  untilAtEngine(engine: Contracted, dropped: Dropped, kind: EngineState['kind']): Promise<EngineState> {
    return eventually(
      `${engine} says ${kind}`,
      async () => {
        const state = await this.atEngine(engine, dropped);
        return state.kind === kind && state;
      },
      60_000,
    );
  }

  async rowsOf({ mediaId }: Dropped): Promise<[MediaRow | undefined, JobRow[]]> {
    return Promise.all([readMedia(this.cloud, mediaId), readJobs(this.cloud, mediaId)]);
  }

  /** Awaits a state of the media item, with time passing whenever nothing is at work. */
  reachedInTime(engine: Contracted, { mediaId }: Dropped, state: MediaState): Promise<MediaRow> {
    return reachedInTime(this.cloud, mediaId, state, { isEncoding: () => this.rows[engine].busy() });
  }

  /** Sources whose key contains `text` are not handed out to what encodes, until they are released. */
  holdSources(text: string): Held {
    return this.#mishaps.hold((call) => {
      const isSource = call.operation === 'GetObject' && call.request?.path.includes(text);
      return isSource === true && !nameOf(call).includes('ingestupload');
    });
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

  /** Lets time pass, sweep by sweep, until the media item is ready. */
  async sweptUntilReady({ mediaId }: Dropped): Promise<MediaRow> {
    return eventually(
      `${mediaId} is ready`,
      async () => {
        this.cloud.clock.advance(16 * MINUTE);
        await sweepNow(this.cloud);
        const media = await readMedia(this.cloud, mediaId);
        return media?.state === 'ready' && media;
      },
      60_000,
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
  readonly #held = new Set<{ applies: (call: GatewayCall) => boolean; over: Promise<void> }>();
  #deadly: (Deadly & { left: number; last?: string | undefined }) | undefined;

  readonly hooks: Hooks = {
    before: async (call) => {
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
    const entry = { applies, over };
    this.#held.add(entry);
    const release = () => {
      this.#held.delete(entry);
      letGo();
    };
    return { release, [Symbol.dispose]: release };
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
