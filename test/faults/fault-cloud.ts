import { EngineName } from '../../core/contracts/engines.ts';
import { hasEnded } from '../../core/jobs/rows.ts';
import { LONGEST_HOLD_MS } from '../../local/adverse/adverse.ts';
import type { Cloud } from '../../local/boot.ts';
import type { LocalEndpoint } from '../../local/endpoint/endpoint.ts';
import { apiAs } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { Encodes } from '../support/encodes.ts';
import { httpCloud } from '../support/http-engine.ts';
import { drop } from '../support/pipeline.ts';
import { Breaker } from './breaker.ts';
import { ACTORS, type Actor, ENDPOINT, type Kind, type Point, type Site } from './points.ts';
import { type Ended, Observer } from './state.ts';

/** Without a call for so long, and no job running, nothing happens by itself any more: only time helps. */
const QUIET_MS = 400;
/**
 * What time brings, a step at a time, over and over. `message first`: a message that was being worked on comes again before
 * sweep takes its job for a silent one; `together`: both fall due at the same moment, and meet.
 */
const STEPS_MS = { 'message first': [7 * 60_000, 9 * 60_000], together: [16 * 60_000] } as const;
export type Order = keyof typeof STEPS_MS;
/** Longer than that too: for a flow of which nothing but a message in flight is left. */
const LAST_STEP_MS = 91 * 60_000;
const MAX_STEPS = 20;
const DEADLINE_MS = 90_000;

interface BootOptions {
  adverse?: false;
  engine?: EngineName;
}

type Booted = Awaited<ReturnType<typeof testCloud>> & { endpoint?: LocalEndpoint };

export interface Flow {
  ended: Ended;
  /** What is not as it has to be, whatever the medium. */
  faults: string[];
  /** Whether the armed fault came about. */
  fired: boolean;
  /** How often time had to be helped along. */
  steps: number;
  calls: Breaker['calls'];
  jobIds: string[];
}

/** A local cloud in which one media's flow at a time runs to its end, with one call of it broken. */
export class FaultCloud implements AsyncDisposable {
  readonly cloud: Cloud;
  readonly log: string[];
  readonly #endpoint: LocalEndpoint | undefined;
  readonly #breaker: Breaker;
  readonly observer: Observer;
  readonly #encodes: Encodes;
  readonly #dispose: () => PromiseLike<void>;
  #flows = 0;

  private constructor(booted: Booted, breaker: Breaker, encodes: Encodes) {
    this.cloud = booted.cloud;
    this.log = booted.log;
    this.#endpoint = booted.endpoint;
    this.#breaker = breaker;
    this.#encodes = encodes;
    this.observer = new Observer(booted.cloud);
    this.#dispose = () => booted[Symbol.asyncDispose]();
  }

  /**
   * Adverse, as every cloud of these tests, unless its calls are to be recorded: doubles of messages would be calls, too.
   * @param options `engine` other than `batch-cpu`: the cloud has all of them, each with a collection of its name
   */
  static async boot({ engine = 'batch-cpu', ...options }: BootOptions = {}): Promise<FaultCloud> {
    let booted: Booted | undefined;
    const encodes = new Encodes();
    const breaker = new Breaker((actor) => booted && kill(booted, actor));
    const hooks = encodes.hooks(breaker.hooks);
    booted =
      engine === 'batch-cpu' ? await testCloud({ hooks, ...options }) : await httpCloud({ hooks, ...options }, EVERY);
    if (booted.endpoint) breakEndpoint(booted.endpoint, booted.cloud, breaker);
    encodes.watch(booted.cloud);
    if (engine !== 'batch-cpu') await addCollections(booted.cloud);
    return new FaultCloud(booted, breaker, encodes);
  }

  /** @param order by default the one in every other flow. */
  async run(
    { engine, medium }: Pick<Point, 'engine' | 'medium'>,
    media: { file: string; name: string },
    fault?: { site: Site; kind: Kind },
    order: Order = this.#flows % 2 === 0 ? 'message first' : 'together',
  ): Promise<Flow> {
    this.#flows += 1;
    this.#breaker.arm(fault);
    const folder = `${engine === 'batch-cpu' ? '' : `${engine}/`}${medium}-${this.#flows}`;
    const mediaId = await drop(this.cloud, `drop/ann/${folder}/${media.name}`, { file: media.file });
    const faults: string[] = [];
    let steps = await this.#settle(mediaId, faults, order);
    if (!fault || fault.site.actor === 'sweep') {
      await this.cloud.fireSchedule('sweep');
      steps += await this.#settle(mediaId, faults, order);
    }
    const { calls, fired } = this.#breaker;
    const flow = { calls: new Map(calls), fired, steps };
    this.#breaker.arm();
    faults.push(...(await this.#check(mediaId, fault?.site.actor === 'sweep')));
    const jobIds = (await this.observer.jobs(mediaId)).map(({ jobId }) => jobId);
    return { ...flow, faults, jobIds, ended: await this.observer.end(mediaId) };
  }

  /** Lets the flow come to rest, and time go by when nothing else moves. Returns how often it had to. */
  async #settle(mediaId: string, faults: string[], order: Order): Promise<number> {
    const deadline = Date.now() + DEADLINE_MS;
    for (let steps = 0; ; steps++) {
      await this.#rest();
      faults.push(...(await this.observer.missing(mediaId)).map((what) => `after ${steps} steps: ${what}`));
      const ended = await this.#hasEnded(mediaId);
      if (ended && (await this.observer.waiting()).length === 0) return steps;
      if (steps >= MAX_STEPS || Date.now() > deadline) {
        faults.push(`not settled after ${steps} steps`);
        return steps;
      }
      // The schedule of sweep falls due with it.
      const step = STEPS_MS[order][steps % STEPS_MS[order].length] ?? 0;
      this.cloud.clock.advance(ended ? LAST_STEP_MS : step);
    }
  }

  /** Nothing moves, and nothing is on its way either: what an adverse cloud holds back or repeats has come. */
  async #rest(): Promise<void> {
    let moves: number;
    await this.#quiet();
    do {
      moves = this.#breaker.moves;
      this.cloud.clock.advance(LONGEST_HOLD_MS);
      await this.#quiet();
    } while (this.#breaker.moves > moves);
  }

  async #quiet(): Promise<void> {
    const since = () => Date.now() - this.#breaker.lastCallAt;
    this.#breaker.lastCallAt = Math.max(this.#breaker.lastCallAt, Date.now() - QUIET_MS / 2);
    const { batch, mediaconvert, lambda } = this.cloud;
    const atWork = () =>
      [batch, mediaconvert, lambda].some((service) => service.running().length > 0) || this.#isServed();
    while (atWork() || since() < QUIET_MS) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Whether the endpoint has a job that waits or runs. */
  #isServed(): boolean {
    const { inQueue = 0, inProgress = 0 } = this.#endpoint?.jobs.counts() ?? {};
    return inQueue + inProgress > 0;
  }

  async #hasEnded(mediaId: string): Promise<boolean> {
    const [media, jobs] = await Promise.all([this.observer.media(mediaId), this.observer.jobs(mediaId)]);
    if (media?.state !== 'ready' && media?.state !== 'failed') return false;
    return jobs.every(hasEnded);
  }

  async #check(mediaId: string, sweepMayMiss: boolean): Promise<string[]> {
    const faults: string[] = [];
    const jobs = await this.observer.jobs(mediaId);
    for (const { jobId } of jobs) {
      const encodes = this.#encodes.of(jobId);
      if (encodes > 1) faults.push(`${jobId} was encoded ${encodes} times`);
    }
    const left = await this.observer.leftovers(mediaId);
    if (jobs.some(({ state }) => state === 'published') && left.length > 0)
      faults.push(`left behind: ${left.join(', ')}`);
    for (const { name, all } of await this.observer.takeDeadLetters()) {
      // A run of sweep that fails is not tried again: the next one does its work, and an alarm counts those missed.
      if (!sweepMayMiss || !name.includes('sweepmissed')) faults.push(`dead letters: ${all} in ${name}`);
    }
    return faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}

/** As for EngineRow of test/support, of a cloud that has every engine. */
const EVERY = { gpuEngine: { maxVcpus: 8 }, mediaConvert: true };

async function addCollections(cloud: Cloud): Promise<void> {
  const ann = await apiAs(cloud, 'ann');
  for (const id of EngineName.options) {
    const { status } = await ann('POST', '/collections', { body: { id, engine: id } });
    if (status !== 201) throw new Error(`no collection ${id}: ${status}`);
  }
}

function kill({ cloud, endpoint }: Booted, actor: Actor): void {
  const { function: name } = ACTORS[actor];
  if (name !== null) {
    cloud.lambda.kill(name);
    return;
  }
  for (const id of cloud.batch.running()) cloud.batch.kill(id, 'SIGKILL').catch(() => {});
  endpoint?.killWorkers();
}

/** Functions that are connected with engines. */
const CONNECTED = ['ingest-upload', 'track-job', 'sweep'] as const;

/** Calls of the endpoint are broken like those of AWS. They do not say who calls: it is the function that runs. */
function breakEndpoint(endpoint: LocalEndpoint, { lambda }: Cloud, { hooks }: Breaker): void {
  endpoint.intercept = async (operation, act) => {
    const running = lambda.running();
    const caller = CONNECTED.find((actor) => running.some((name) => name.includes(ACTORS[actor].function)));
    const arn = caller === undefined ? 'unknown' : ACTORS[caller].roles[0];
    const call = { service: ENDPOINT, operation, principal: { type: 'role' as const, arn }, n: 1 };
    await hooks.before?.(call);
    const answer = await act();
    await hooks.after?.(call);
    return answer;
  };
}
