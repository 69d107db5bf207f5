import { hasEnded } from '../../core/jobs/rows.ts';
import type { Cloud } from '../../local/boot.ts';
import { testCloud } from '../helpers/cloud.ts';
import { drop } from '../helpers/pipeline.ts';
import { Breaker } from './breaker.ts';
import { ACTORS, type Actor, type Kind, type Medium, type Site } from './points.ts';
import { type Ended, Observer } from './state.ts';

/** Without a call for so long, and no job running, nothing happens by itself any more: only time helps. */
const QUIET_MS = 400;
/** Longer than a job may be silent, and than every visibility time-out but the publish queue's. */
const STEP_MS = 16 * 60_000;
/** Longer than that too: for a flow of which nothing but a message in flight is left. */
const LAST_STEP_MS = 91 * 60_000;
const MAX_STEPS = 12;
const DEADLINE_MS = 90_000;

export interface Flow {
  ended: Ended;
  /** What is not as it has to be, whatever the medium. */
  faults: string[];
  /** Whether the armed fault came about. */
  fired: boolean;
  /** How often time had to be helped along. */
  steps: number;
  calls: Breaker['calls'];
}

/** A local cloud in which one media's flow at a time runs to its end, with one call of it broken. */
export class FaultCloud implements AsyncDisposable {
  readonly cloud: Cloud;
  readonly log: string[];
  readonly #breaker: Breaker;
  readonly #observer: Observer;
  readonly #dispose: () => PromiseLike<void>;
  #flows = 0;

  private constructor(booted: Awaited<ReturnType<typeof testCloud>>, breaker: Breaker) {
    this.cloud = booted.cloud;
    this.log = booted.log;
    this.#breaker = breaker;
    this.#observer = new Observer(booted.cloud);
    this.#dispose = () => booted[Symbol.asyncDispose]();
  }

  static async boot(): Promise<FaultCloud> {
    let cloud: Cloud | undefined;
    const kill = (actor: Actor) => {
      if (!cloud) return;
      if (actor !== 'worker') return cloud.lambda.kill(functionOf(actor));
      for (const id of cloud.batch.running()) cloud.batch.kill(id, 'SIGKILL').catch(() => {});
    };
    const breaker = new Breaker(kill);
    const booted = await testCloud({ hooks: breaker.hooks });
    cloud = booted.cloud;
    return new FaultCloud(booted, breaker);
  }

  async run(medium: Medium, media: { file: string; name: string }, fault?: { site: Site; kind: Kind }): Promise<Flow> {
    this.#flows += 1;
    this.#breaker.arm(fault);
    const mediaId = await drop(this.cloud, `drop/ann/${medium}-${this.#flows}/${media.name}`, { file: media.file });
    const faults: string[] = [];
    let steps = await this.#settle(mediaId, faults);
    if (!fault || fault.site.actor === 'sweep') {
      await this.cloud.fireSchedule('sweep');
      steps += await this.#settle(mediaId, faults);
    }
    const { calls, fired } = this.#breaker;
    const flow = { calls: new Map(calls), fired, steps };
    this.#breaker.arm();
    faults.push(...(await this.#check(mediaId, fault?.site.actor === 'sweep')));
    return { ...flow, faults, ended: await this.#observer.end(mediaId) };
  }

  /** Lets the flow come to rest, and time go by when nothing else moves. Returns how often it had to. */
  async #settle(mediaId: string, faults: string[]): Promise<number> {
    const deadline = Date.now() + DEADLINE_MS;
    for (let steps = 0; ; steps++) {
      await this.#quiet();
      faults.push(...(await this.#observer.missing(mediaId)).map((what) => `after ${steps} steps: ${what}`));
      const ended = await this.#hasEnded(mediaId);
      if (ended && (await this.#observer.waiting()).length === 0) return steps;
      if (steps >= MAX_STEPS || Date.now() > deadline) {
        faults.push(`not settled after ${steps} steps`);
        return steps;
      }
      // The schedule of sweep falls due with it.
      this.cloud.clock.advance(ended ? LAST_STEP_MS : STEP_MS);
    }
  }

  async #quiet(): Promise<void> {
    const since = () => Date.now() - this.#breaker.lastCallAt;
    this.#breaker.lastCallAt = Math.max(this.#breaker.lastCallAt, Date.now() - QUIET_MS / 2);
    const atWork = () => this.cloud.batch.running().length > 0 || this.cloud.lambda.running().length > 0;
    while (atWork() || since() < QUIET_MS) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async #hasEnded(mediaId: string): Promise<boolean> {
    const [media, jobs] = await Promise.all([this.#observer.media(mediaId), this.#observer.jobs(mediaId)]);
    if (media?.state !== 'ready' && media?.state !== 'failed') return false;
    return jobs.every(hasEnded);
  }

  async #check(mediaId: string, sweepMayMiss: boolean): Promise<string[]> {
    const faults: string[] = [];
    const jobs = await this.#observer.jobs(mediaId);
    for (const { jobId } of jobs) {
      const completed = await this.#observer.completions(jobId);
      if (completed > 1) faults.push(`${jobId} ran to its end ${completed} times`);
    }
    const left = await this.#observer.leftovers(mediaId);
    if (jobs.some(({ state }) => state === 'published') && left.length > 0)
      faults.push(`left behind: ${left.join(', ')}`);
    for (const { queue, count } of await this.#observer.takeDeadLetters()) {
      // A run of sweep that fails is not tried again: the next one does its work, and an alarm counts those missed.
      if (!sweepMayMiss || !queue.includes('sweepmissed')) faults.push(`dead letters: ${count} in ${queue}`);
    }
    return faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}

function functionOf(actor: Exclude<Actor, 'worker'>): string {
  return actor === 'sweep' ? 'sweepfunction' : ACTORS[actor];
}
