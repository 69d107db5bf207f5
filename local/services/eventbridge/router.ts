import type { ServiceContext } from '../../kernel/account.ts';
import type { Deliverer } from './delivery.ts';
import { inputFor } from './input.ts';
import { type Accepted, PendingEvents } from './store.ts';
import type { EventsConfiguration, Rule } from './template.ts';

export interface RouterConfiguration extends EventsConfiguration {
  /** Receives each event that was accepted. */
  onEvent?: ((event: object) => void) | undefined;
}

/** Accepts events, and delivers each to the targets of the rules that it matches. */
export class Router {
  readonly #context: ServiceContext;
  readonly #deliverer: Deliverer;
  readonly #store: PendingEvents;
  /** By ARN. */
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #buses: ReadonlySet<string>;
  readonly #onEvent: ((event: object) => void) | undefined;
  readonly #atWork = new Set<Promise<void>>();
  /** Kinds of events that no rule has matched. */
  readonly #unclaimed = new Set<string>();

  static async open(
    context: ServiceContext,
    configuration: RouterConfiguration,
    deliverer: Deliverer,
  ): Promise<Router> {
    return new Router(context, configuration, deliverer, await PendingEvents.open(context));
  }

  private constructor(
    context: ServiceContext,
    configuration: RouterConfiguration,
    deliverer: Deliverer,
    store: PendingEvents,
  ) {
    this.#context = context;
    this.#onEvent = configuration.onEvent;
    this.#deliverer = deliverer;
    this.#store = store;
    this.#rules = new Map(configuration.rules.map((rule) => [rule.arn, rule]));
    this.#buses = new Set(['default', ...configuration.buses]);
  }

  /** Resolves when the events are on the disk; their deliveries follow. */
  async accept(events: { id: string; bus: string; event: object }[]): Promise<void> {
    const accepted: Accepted[] = [];
    for (const { id, bus, event } of events) {
      const matched = [...this.#rules.values()].filter((rule) => rule.bus === bus && rule.matches?.(event));
      if (matched.length === 0) this.#noteUnclaimed(bus, event);
      else accepted.push(this.#toTargets(id, event, matched));
    }
    await this.#store.accept(accepted);
    for (const { event } of events) this.#onEvent?.(event);
    for (const one of accepted) this.#start(one);
  }

  /** As `accept`, for a rule that need not match the event. */
  async acceptFor(rule: Rule, { id, event }: { id: string; event: object }): Promise<void> {
    const accepted = this.#toTargets(id, event, [rule]);
    await this.#store.accept([accepted]);
    this.#start(accepted);
  }

  /** Resumes deliveries that were accepted before a restart. */
  resume(): void {
    for (const accepted of this.#store.all()) this.#start(accepted);
  }

  async close(): Promise<void> {
    await Promise.all(this.#atWork);
    await this.#store.close();
  }

  abandon(): Promise<void> {
    return this.#store.abandon();
  }

  /** Logs events that no rule matches, once of each kind, because a wrong pattern looks like that. AWS does not report them. */
  #noteUnclaimed(bus: string, event: { source?: unknown; 'detail-type'?: unknown }): void {
    const kind = `${event.source} "${event['detail-type']}"`;
    if (this.#unclaimed.has(`${bus} ${kind}`)) return;
    this.#unclaimed.add(`${bus} ${kind}`);
    const names = [...this.#rules.values()].filter((rule) => rule.bus === bus).map(({ name }) => name);
    const known = this.#buses.has(bus)
      ? `the rules of bus ${bus}: ${names.join(', ') || 'none'}`
      : `there is no bus ${bus}`;
    this.#context.log(`events: no rule matches ${kind}, or not all of them; ${known}`);
  }

  #toTargets(id: string, event: object, matched: Rule[]): Accepted {
    const targets = matched.flatMap((rule) => rule.targets.map((target) => `${rule.arn}#${target.id}`));
    return { id, event: JSON.stringify(event), acceptedAt: this.#context.clock.now(), targets };
  }

  #start(accepted: Accepted): void {
    for (const key of accepted.targets) {
      const work = this.#deliverTo(accepted, key)
        .catch((error) =>
          this.#context.log(`events: ${accepted.id} to ${key} is left for the next start: ${String(error)}`),
        )
        .finally(() => this.#atWork.delete(work));
      this.#atWork.add(work);
    }
  }

  async #deliverTo(accepted: Accepted, key: string): Promise<void> {
    const separator = key.lastIndexOf('#');
    const rule = this.#rules.get(key.slice(0, separator));
    const target = rule?.targets.find(({ id }) => id === key.slice(separator + 1));
    // Deliveries of rules that are no longer in the template are dropped.
    if (rule && target) {
      await this.#deliverer.run({
        label: `rule ${rule.name} → ${target.arn}`,
        targetArn: target.arn,
        payload: inputFor(target, accepted.event, rule.arn),
        principal: { type: 'service', service: 'events.amazonaws.com', sourceArn: rule.arn },
        acceptedAt: accepted.acceptedAt,
        maxRetries: target.maxRetries,
        maxAge: target.maxAge,
        ...(target.deadLetterArn && { deadLetter: { arn: target.deadLetterArn, attributes: { RULE_ARN: rule.arn } } }),
      });
    }
    await this.#store.done(accepted.id, key);
  }
}
