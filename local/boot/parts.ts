import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ServiceContext } from '../kernel/account.ts';
import type { Part, PluginContext, ServicePlugin } from '../plugin.ts';

/** What all plugins receive alike. */
export type SharedContext = Omit<PluginContext, keyof ServiceContext | 'port' | 'of'> & Omit<ServiceContext, 'dir'>;

/** The parts of the cloud that plugins have made. */
export class Parts {
  readonly #parts = new Map<ServicePlugin, Part>();
  readonly #context: SharedContext;
  readonly #portOf: (server: string) => number;

  constructor(context: SharedContext, portOf: (server: string) => number) {
    this.#context = context;
    this.#portOf = portOf;
  }

  /** In the order in which they were made. */
  all(): { plugin: ServicePlugin; part: Part }[] {
    return [...this.#parts].map(([plugin, part]) => ({ plugin, part }));
  }

  /** The part that a plugin makes in this step; undefined when it makes none. */
  async make(plugin: ServicePlugin, step: 'create' | 'open'): Promise<Part | undefined> {
    if (!plugin[step]) return undefined;
    const { stateDir, configurationOf } = this.#context;
    const context: PluginContext = {
      ...this.#context,
      dir: await directoryOf(stateDir, plugin.directory ?? plugin.name),
      port: plugin.server === undefined ? 0 : this.#portOf(plugin.server),
      of: (other) => this.of(other),
    };
    const part = await plugin[step]?.(plugin.read && configurationOf(plugin), context);
    if (part) this.#parts.set(plugin, part);
    return part;
  }

  of<Handle>(plugin: ServicePlugin<unknown, Handle>): Handle {
    const part = this.#parts.get(plugin);
    if (!part)
      throw new Error(`${plugin.name} is not made yet: its row in plugins.ts has to come before those that use it`);
    return part.handle as Handle;
  }
}

/** A directory of the state directory, made if it is missing. */
export async function directoryOf(stateDir: string, name: string): Promise<string> {
  const dir = join(resolve(stateDir), name);
  await mkdir(dir, { recursive: true });
  return dir;
}
