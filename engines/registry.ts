import type { z } from 'zod';
import { AUTO, EngineName } from '../core/contracts/engines.ts';
import type { EngineMessage } from '../core/contracts/events.ts';
import type { Prices } from '../core/contracts/prices.ts';
import type { JobRow } from '../core/contracts/table/jobs.ts';
import { batch } from './batch/films.ts';
import { batchGpu } from './batch/gpu.ts';
import { readCallback } from './called-back.ts';
import { type Cost, type Engine, type EngineEvent, type EngineKind, EngineRefused, type Usage } from './engine.ts';
import { http } from './http/engine.ts';
import { mediaconvert } from './mediaconvert/engine.ts';

/** Every engine, by the name in rows. */
const ENGINES: Readonly<Record<EngineName, EngineKind>> = {
  'batch-cpu': batch,
  'batch-gpu': batchGpu,
  http,
  mediaconvert,
};

/** What a job of this engine costs. Undefined for an engine that this release does not know. */
export function priceOf(name: string, usage: Usage, prices: Prices): Cost | undefined {
  return kindOf(name)?.priceOf(usage, prices);
}

/** The engines of one deployment. */
export class Engines {
  private readonly installed: ReadonlyMap<string, Engine>;

  constructor(installed: Readonly<Record<string, Engine>>) {
    this.installed = new Map(Object.entries(installed));
  }

  /** @throws EngineRefused where the deployment has no such engine */
  get(name: string): Engine {
    const engine = this.installed.get(name);
    if (engine) return engine;
    throw new EngineRefused(this.lacks(name), { forGood: true });
  }

  /** The engine whose service takes this part of a job, which may be another one's. */
  servedBy({ engine, part }: Pick<JobRow, 'engine' | 'part'>): string {
    return this.installed.get(engine)?.servedBy?.(part) ?? engine;
  }

  /** Whose services must take jobs for this part, and for the encode where it is the first. Without its own engine's, the encode is done. */
  needs({ engine, part }: Pick<JobRow, 'engine' | 'part'>): string[] {
    const service = this.servedBy({ engine, part });
    return part === undefined && service !== engine ? [service, engine] : [service];
  }

  /** Whether a job can ask for it. */
  has(choice: string): boolean {
    return choice === AUTO || this.installed.has(choice);
  }

  /** A sentence for the client that requested an engine that is not installed. */
  lacks(name: string): string {
    return `This deployment has no engine ${name}; it has ${[...this.installed.keys()].join(', ')}.`;
  }

  entries(): [name: string, engine: Engine][] {
    return [...this.installed];
  }

  /**
   * The event of a message from any of the engines.
   * @throws Error where none of them reads it
   */
  async read(message: EngineMessage): Promise<EngineEvent> {
    const called = readCallback(message);
    if (called) return called;
    // Engines may share a service, whose events of the others' jobs say nothing to them.
    let nothing: EngineEvent | null = null;
    for (const { read } of this.installed.values()) {
      const event = await read(message);
      if (event && event.kind !== 'nothing') return event;
      nothing ??= event;
    }
    if (nothing) return nothing;
    throw new Error(`No engine reads ${message['detail-type']} from ${message.source}.`);
  }
}

/**
 * Connects the engines whose variables a function has. An engine with some but not all of its variables is a fault of the deployment.
 * @throws ZodError that names what is missing, Error where there is no engine at all
 */
export function connectEngines(variables: Readonly<Record<string, string | undefined>>): Engines {
  const installed = EngineName.options.flatMap((name): [EngineName, Engine][] => {
    const kind = ENGINES[name];
    return isInstalled(kind, variables) ? [[name, kind.connect(variables)]] : [];
  });
  if (installed.length === 0) throw new Error("The function's environment has the variables of no engine.");
  return new Engines(Object.fromEntries(installed));
}

/** By a variable that no other engine has: mediaconvert has workers of batch-cpu. */
function isInstalled({ environment }: { environment: z.ZodObject }, variables: Readonly<Record<string, unknown>>) {
  const others = Object.values(ENGINES).filter((kind) => kind.environment !== environment);
  const isOwn = (name: string) => !others.some((kind) => name in kind.environment.shape);
  return Object.keys(environment.shape).some((name) => isOwn(name) && variables[name] !== undefined);
}

function kindOf(name: string): EngineKind | undefined {
  const known = EngineName.safeParse(name);
  return known.success ? ENGINES[known.data] : undefined;
}
