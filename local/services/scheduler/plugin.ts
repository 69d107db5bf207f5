import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { eventbridge } from '../eventbridge/plugin.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import { readSchedules, type ScheduleConfiguration } from './template.ts';
import { timedRules, timedSchedule } from './timed.ts';

export const scheduler: ServicePlugin<ScheduleConfiguration[], Scheduler> = {
  name: 'scheduler',
  types: {
    'AWS::Scheduler::Schedule': {
      identity: named('Name', 64, (name, { property }) => ({
        attributes: { Arn: arnOf('scheduler', `schedule/${property('GroupName') ?? 'default'}/${name}`) },
      })),
      createOnly: ['Name'],
    },
  },
  read: readSchedules,
  open: async (schedules, context) => {
    const { events, deliverer } = context.of(eventbridge);
    const made = await createScheduler(context, [
      ...schedules.map((schedule) => timedSchedule(schedule, deliverer, context.clock)),
      ...timedRules(context.configurationOf(eventbridge).rules, events),
    ]);
    return {
      handle: made,
      start: made.start,
      state: { close: () => made.close(), crash: () => made.abandon() },
    };
  },
  throttled: ['ThrottlingException', 429],
  /** https://aws.amazon.com/eventbridge/pricing/ */
  rate: (counted, { scheduler }) =>
    counted.startsWith('request:scheduler:')
      ? { what: 'Scheduler', unit: 'invocations', usdPerUnit: scheduler.invocation }
      : undefined,
};
