import { AwsError } from '../../kernel/service.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { lambda } from '../lambda/plugin.ts';
import { checkRuleSchedules } from '../scheduler/template.ts';
import { sqs } from '../sqs/plugin.ts';
import { createDeliverer, type Deliverer } from './delivery.ts';
import { createEvents, type Events } from './service.ts';
import { createDeliver } from './targets.ts';
import { type EventsConfiguration, readEvents } from './template.ts';

export const eventbridge: ServicePlugin<EventsConfiguration, { events: Events; deliverer: Deliverer }> = {
  name: 'events',
  types: {
    'AWS::Events::EventBus': {
      identity: named('Name', 256, (name) => ({
        attributes: { Arn: arnOf('events', `event-bus/${name}`), Name: name },
      })),
      createOnly: ['EventSourceName', 'Name'],
      namedBy: 'Name',
    },
    'AWS::Events::Rule': {
      identity: named('Name', 64, (name, { property }) => {
        const bus = (property('EventBusName') ?? 'default').replace(/^arn:.*\//, '');
        return {
          ref: bus === 'default' ? name : `${bus}|${name}`,
          attributes: { Arn: arnOf('events', bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`) },
        };
      }),
      createOnly: ['EventBusName', 'Name'],
    },
  },
  read(template, reader) {
    const configuration = readEvents(template, reader);
    checkRuleSchedules(configuration.rules, template, reader);
    return configuration;
  },
  create: async (configuration, context) => {
    const { of, call, adverse, faults, options } = context;
    const straight = createDeliver({ sqs: of(sqs), lambda: of(lambda), call });
    const deliver = adverse?.deliver(straight) ?? straight;
    const deliverer = createDeliverer(context, {
      deliver: faults?.deliver(deliver) ?? deliver,
      sqs: of(sqs),
      call,
    });
    const events = await createEvents(context, { ...configuration, onEvent: options.onEvent }, deliverer);
    return {
      handle: { events, deliverer },
      service: events.service,
      start: events.start,
      work: { close: deliverer.close, crash: deliverer.close },
      state: { close: () => events.close(), crash: () => events.abandon() },
    };
  },
  denied: (_, reason) => new AwsError('AccessDeniedException', 400, reason),
  /** Custom events, for each 64 KB; events of AWS services, and rules, are free. https://aws.amazon.com/eventbridge/pricing/ */
  rate: (counted, { eventBridge }) =>
    counted.startsWith('request:events:')
      ? { what: 'EventBridge custom events', unit: 'events', usdPerUnit: eventBridge.event }
      : undefined,
};
