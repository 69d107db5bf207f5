import type { GatewayCall, Hooks } from '../../local/gateway/hooks.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { type Actor, actorOf, isPoll, type Kind, type Site, siteName } from './points.ts';

/** Counts the calls of a flow, and breaks one of them. */
export class Breaker {
  /** By name, in the order in which they were first seen. */
  readonly calls = new Map<string, { site: Omit<Site, 'nth'>; count: number }>();
  /** Milliseconds since the epoch, of the last call that is no poll. */
  lastCallAt = Date.now();
  /** Calls that are no polls, since the breaker was made. */
  moves = 0;
  /** Whether the armed fault has happened. */
  fired = false;
  readonly #kill: (actor: Actor) => void;
  readonly #seen = new Set<string>();
  #armed: { site: Site; kind: Kind } | undefined;
  #target: GatewayCall | undefined;

  constructor(kill: (actor: Actor) => void) {
    this.#kill = kill;
  }

  /** Begins anew, with a fault or none. */
  arm(fault?: { site: Site; kind: Kind }): void {
    this.calls.clear();
    this.#seen.clear();
    this.#armed = fault;
    this.#target = undefined;
    this.fired = false;
    this.lastCallAt = Date.now();
  }

  readonly hooks: Hooks = {
    before: (call) => {
      const actor = actorOf(call.principal);
      this.#notice(call);
      if (!actor) return;
      if (call.operation === 'ReceiveMessage' && this.#armed?.kind === 'fail-after') return;
      const armed = this.#armed;
      const again = call.invocation !== undefined && call.invocation === this.#target?.invocation;
      // A call that fails does so however often the SDK tries; an answer is lost once.
      if (again && armed?.kind === 'fail-before') throw outage();
      if (again || !this.#count(call, actor)) return;
      if (armed?.kind === 'fail-before') {
        this.fired = true;
        throw outage();
      }
      if (armed?.kind === 'kill-before') {
        this.fired = true;
        this.#kill(actor);
        throw outage();
      }
    },
    after: (call) => {
      const actor = actorOf(call.principal);
      this.#notice(call);
      if (!actor) return;
      // The receive under way when the flow began is the one that brings its message.
      if (call.operation === 'ReceiveMessage' && this.#armed?.kind === 'fail-after') this.#count(call, actor);
      if (call !== this.#target || this.fired) return;
      this.fired = true;
      if (this.#armed?.kind === 'kill-after') this.#kill(actor);
      throw outage();
    },
  };

  #notice(call: GatewayCall): void {
    if (isPoll(call)) return;
    this.lastCallAt = Date.now();
    this.moves += 1;
  }

  /**
   * True when it is the call that the fault is for: the nth. After an answer, it may also be a later one, because the nth may be refused:
   * of two publishers, which a duplicate of a message makes, one loses.
   */
  #count(call: GatewayCall, actor: Actor): boolean {
    if (call.invocation !== undefined) {
      if (this.#seen.has(call.invocation)) return false;
      this.#seen.add(call.invocation);
    }
    const { service, operation } = call;
    const site = { actor, service, operation };
    const name = siteName(site);
    const known = this.calls.get(name) ?? { site, count: 0 };
    known.count += 1;
    this.calls.set(name, known);
    const armed = this.#armed;
    if (!armed || this.fired || siteName(armed.site) !== name) return false;
    const isAfter = armed.kind === 'fail-after' || armed.kind === 'kill-after';
    if (isAfter ? known.count < armed.site.nth : known.count !== armed.site.nth) return false;
    this.#target = call;
    return true;
  }
}

function outage(): AwsError {
  return new AwsError('InternalError', 500, 'A fault on purpose.');
}
