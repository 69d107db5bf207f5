import { z } from 'zod';
import { ACCOUNT_ID, REGION, type ServiceContext } from '../../kernel/account.ts';
import { type Caller, jsonError, jsonResponse, operationOf, readInput } from '../../kernel/aws-json.ts';
import { AwsError, type EmitEvent, type Service } from '../../kernel/service.ts';
import type { Deliverer } from './delivery.ts';
import { PatternError } from './operators.ts';
import { compilePattern } from './pattern.ts';
import { envelope, readEntries } from './put-events.ts';
import { Router, type RouterConfiguration } from './router.ts';
import type { Rule } from './template.ts';

export interface Events {
  service: Service;
  /** Emits an event of an AWS service of this cloud on the default bus. */
  emit: EmitEvent;
  /** Delivers an event directly to a rule's targets, like its schedule. */
  trigger(rule: Rule): Promise<void>;
  /** Resumes deliveries that were accepted before a restart. */
  start(): void;
  /** Waits for running attempts after the deliverer was closed; other deliveries resume after the next start. */
  close(): Promise<void>;
  abandon(): Promise<void>;
}

const TestEventPattern = z.object({ EventPattern: z.string(), Event: z.string() });

/** Event buses with their rules. */
export async function createEvents(
  context: ServiceContext,
  configuration: RouterConfiguration,
  deliverer: Deliverer,
): Promise<Events> {
  const router = await Router.open(context, configuration, deliverer);
  return {
    service: serviceOf(router, () => context.clock.now()),
    emit: (event) => router.accept([{ bus: 'default', ...envelope(event) }]),
    trigger: (rule) =>
      router.acceptFor(
        rule,
        envelope({
          source: 'aws.events',
          'detail-type': 'Scheduled Event',
          resources: [rule.arn],
          time: context.clock.iso(),
          detail: {},
        }),
      ),
    start: () => router.resume(),
    close: () => router.close(),
    abandon: () => router.abandon(),
  };
}

function serviceOf(router: Router, now: () => number): Service {
  return {
    name: 'events',
    operation: ({ headers }) => operationOf(headers),
    async handle(request) {
      const operation = operationOf(request.headers);
      const input = await readInput(request.body);
      if (operation === 'PutEvents') return jsonResponse('1.1', await putEvents(router, input, request, now()));
      if (operation === 'TestEventPattern') return jsonResponse('1.1', testEventPattern(input, request));
      throw new AwsError('UnknownOperationException', 400, `EventBridge ${operation} is not served locally.`);
    },
    renderError: (error) => jsonError('1.1', error),
  };
}

async function putEvents(router: Router, input: unknown, caller: Caller, now: number): Promise<object> {
  const { claims, outcomes } = readEntries(input, now);
  // events:source is a list and events:detail-type a text: see list_amazoneventbridge of the Service Authorization Reference.
  // AWS does not document whether it checks each entry, or all values at once. Here each entry must be allowed by itself.
  for (const { bus, keys } of claims) {
    const resource = `arn:aws:events:${REGION}:${ACCOUNT_ID}:event-bus/${bus}`;
    caller.authorize({ action: 'events:PutEvents', resource, context: keys });
  }
  await router.accept(outcomes.flatMap((outcome) => ('event' in outcome ? [outcome] : [])));
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
