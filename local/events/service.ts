import { z } from 'zod';
import { ACCOUNT_ID, REGION, type Surroundings } from '../account.ts';
import { type Caller, jsonError, jsonResponse, operationOf, readInput } from '../aws-json.ts';
import { AwsError, type EmitEvent, type Service } from '../service.ts';
import type { Deliverer } from './delivery.ts';
import { inputFor } from './input.ts';
import { PatternError } from './operators.ts';
import { compilePattern } from './pattern.ts';
import { envelope, readEntries } from './put-events.ts';
import { type Accepted, PendingEvents } from './store.ts';
import type { EventsConfiguration, Rule } from './template.ts';

export interface Events {
  service: Service;
  /** For the AWS services of this cloud: an event on the default bus. */
  emit: EmitEvent;
  /** Delivers an event straight to a rule's targets, as its schedule does. */
  trigger(rule: Rule): Promise<void>;
  /** Goes on with what was accepted before a restart. */
  start(): void;
  /** Waits for deliveries that are being tried, the deliverer being closed; the others go on after the next start. */
  close(): Promise<void>;
  abandon(): Promise<void>;
}

const TestEventPattern = z.object({ EventPattern: z.string(), Event: z.string() });

/** Event buses with their rules. */
export async function createEvents(
  surroundings: Surroundings,
  configuration: EventsConfiguration,
  deliverer: Deliverer,
): Promise<Events> {
  const { clock, log } = surroundings;
  const rules = new Map(configuration.rules.map((rule) => [rule.arn, rule]));
  const buses = new Set(['default', ...configuration.buses]);
  const store = await PendingEvents.open(surroundings);
  const atWork = new Set<Promise<void>>();
  const unclaimed = new Set<string>();

  async function accept(events: { id: string; bus: string; event: object }[]): Promise<void> {
    const accepted: Accepted[] = [];
    for (const { id, bus, event } of events) {
      const matched = matching(bus, event);
      if (matched.length === 0) noteUnclaimed(bus, event);
      else accepted.push(toTargets(id, event, matched));
    }
    await store.accept(accepted);
    for (const one of accepted) start(one);
  }

  function matching(bus: string, event: object): Rule[] {
    return [...rules.values()].filter((rule) => rule.bus === bus && rule.matches?.(event));
  }

  /** Nothing on AWS tells of an event that no rule takes; here it is said, once of each kind, for it is how a wrong pattern looks. */
  function noteUnclaimed(bus: string, event: { source?: unknown; 'detail-type'?: unknown }): void {
    const kind = `${event.source} "${event['detail-type']}"`;
    if (unclaimed.has(`${bus} ${kind}`)) return;
    unclaimed.add(`${bus} ${kind}`);
    const names = [...rules.values()].filter((rule) => rule.bus === bus).map(({ name }) => name);
    const known = buses.has(bus) ? `the rules of bus ${bus}: ${names.join(', ') || 'none'}` : `there is no bus ${bus}`;
    log(`events: no rule takes ${kind}, at least not each of them; ${known}`);
  }

  function toTargets(id: string, event: object, matched: Rule[]): Accepted {
    const targets = matched.flatMap((rule) => rule.targets.map((target) => `${rule.arn}#${target.id}`));
    return { id, event: JSON.stringify(event), acceptedAt: clock.now(), targets };
  }

  function start(accepted: Accepted): void {
    for (const key of accepted.targets) {
      const work = deliverTo(accepted, key)
        .catch((error) => log(`events: ${accepted.id} to ${key} is left for the next start: ${String(error)}`))
        .finally(() => atWork.delete(work));
      atWork.add(work);
    }
  }

  async function deliverTo(accepted: Accepted, key: string): Promise<void> {
    const separator = key.lastIndexOf('#');
    const rule = rules.get(key.slice(0, separator));
    const target = rule?.targets.find(({ id }) => id === key.slice(separator + 1));
    // A rule that the template no longer has delivers nothing more.
    if (rule && target) {
      await deliverer.run({
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
    await store.done(accepted.id, key);
  }

  async function putEvents(input: unknown, caller: Caller): Promise<object> {
    const { buses: named, outcomes } = readEntries(input, clock.now());
    for (const bus of named) {
      const resource = `arn:aws:events:${REGION}:${ACCOUNT_ID}:event-bus/${bus}`;
      caller.authorize({ action: 'events:PutEvents', resource });
    }
    await accept(outcomes.flatMap((outcome) => ('event' in outcome ? [outcome] : [])));
    const Entries = outcomes.map((outcome) => ('event' in outcome ? { EventId: outcome.id } : outcome));
    return { FailedEntryCount: outcomes.filter((outcome) => !('event' in outcome)).length, Entries };
  }

  function testEventPattern(input: unknown, caller: Caller): object {
    caller.authorize({ action: 'events:TestEventPattern', resource: '*' });
    const { EventPattern, Event } = TestEventPattern.parse(input);
    try {
      return { Result: compilePattern(JSON.parse(EventPattern))(JSON.parse(Event)) };
    } catch (error) {
      if (!(error instanceof PatternError || error instanceof SyntaxError)) throw error;
      throw new AwsError('InvalidEventPatternException', 400, error.message);
    }
  }

  return {
    service: {
      name: 'events',
      operation: ({ headers }) => operationOf(headers),
      async handle(request) {
        const operation = operationOf(request.headers);
        const input = await readInput(request.body);
        if (operation === 'PutEvents') return jsonResponse('1.1', await putEvents(input, request));
        if (operation === 'TestEventPattern') return jsonResponse('1.1', testEventPattern(input, request));
        throw new AwsError('UnknownOperationException', 400, `EventBridge ${operation} is not served locally.`);
      },
      renderError: (error) => jsonError('1.1', error),
    },
    emit: (event) => accept([{ bus: 'default', ...envelope(event) }]),
    async trigger(rule) {
      const { id, event } = envelope({
        source: 'aws.events',
        'detail-type': 'Scheduled Event',
        resources: [rule.arn],
        time: clock.iso(),
        detail: {},
      });
      const accepted = toTargets(id, event, [rule]);
      await store.accept([accepted]);
      start(accepted);
    },
    start() {
      for (const accepted of store.all()) start(accepted);
    },
    async close() {
      await Promise.all(atWork);
      await store.close();
    },
    abandon: () => store.abandon(),
  };
}
