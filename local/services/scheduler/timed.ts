import type { Clock } from '../../kernel/clock.ts';
import type { Deliverer } from '../eventbridge/delivery.ts';
import type { Events } from '../eventbridge/service.ts';
import type { Rule } from '../eventbridge/template.ts';
import type { Timed } from './scheduler.ts';
import type { ScheduleConfiguration } from './template.ts';

/** A schedule sends its input to its target with the permissions of its role. */
export function timedSchedule(schedule: ScheduleConfiguration, deliverer: Deliverer, clock: Clock): Timed {
  const { name, expression, timeZone, start, end } = schedule;
  return {
    name,
    expression,
    timeZone,
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    run: (scheduledAt) =>
      deliverer.run({
        label: `schedule ${name} → ${schedule.targetArn}`,
        targetArn: schedule.targetArn,
        payload: inputOf(schedule, scheduledAt),
        principal: { type: 'role', arn: schedule.roleArn },
        acceptedAt: clock.now(),
        maxRetries: schedule.maxRetries,
        maxAge: schedule.maxAge,
        ...(schedule.deadLetterArn && {
          deadLetter: { arn: schedule.deadLetterArn, attributes: { SCHEDULE_ARN: schedule.arn } },
        }),
      }),
  };
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html; the others are refused at boot. */
function inputOf({ input, arn }: ScheduleConfiguration, scheduledAt: number): string {
  const time = new Date(scheduledAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return input.replaceAll('<aws.scheduler.schedule-arn>', arn).replaceAll('<aws.scheduler.scheduled-time>', time);
}

/** A rule with a schedule sends its own event to its targets. */
export function timedRules(rules: readonly Rule[], events: Events): Timed[] {
  return rules.flatMap((rule) => {
    const { name, schedule } = rule;
    return schedule === undefined ? [] : [{ name, expression: schedule, run: () => events.trigger(rule) }];
  });
}
