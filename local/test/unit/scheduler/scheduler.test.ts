import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Clock } from '../../../kernel/clock.ts';
import { createScheduler, type Timed } from '../../../services/scheduler/scheduler.ts';
import { eventually } from '../../support/eventually.ts';
import { fn, queuePolicy, RECORDER, role, smallCloud } from '../../support/small-cloud.ts';

const MINUTE = 60_000;

describe('the times of a schedule', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dropreel-scheduler-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function scheduler(clock: Clock, more: Partial<Timed> = {}) {
    const runs: number[] = [];
    const timed: Timed = {
      name: 'sweep',
      expression: 'rate(5 minutes)',
      run: async () => {
        runs.push(clock.now());
      },
      ...more,
    };
    const created = await createScheduler({ dir, clock, log: () => {} }, [timed]);
    created.start();
    return { created, runs };
  }
  const ran = (runs: number[], count: number) => eventually(`${count} runs`, async () => runs.length === count);

  test('with a rate are one period apart', async () => {
    const clock = new Clock();
    const { created, runs } = await scheduler(clock);
    clock.advance(4 * MINUTE);
    for (let count = 1; count <= 3; count++) {
      clock.advance(count === 1 ? MINUTE : 5 * MINUTE);
      await ran(runs, count);
    }
    await created.close();
  });

  test('that were missed while the cloud was down are made up for by one run', async () => {
    const clock = new Clock();
    await (await scheduler(clock)).created.close();
    clock.advance(60 * MINUTE);
    const { created, runs } = await scheduler(clock);
    await ran(runs, 1);
    clock.advance(4 * MINUTE);
    expect(runs).toHaveLength(1);
    await created.close();
    // That one was noted, so that the next start makes up for none.
    const again = await scheduler(clock);
    clock.advance(30_000);
    expect(again.runs).toHaveLength(0);
    await again.created.close();
  });

  test('of runs that a crash interrupted are run again', async () => {
    const clock = new Clock();
    let started = false;
    const { created } = await scheduler(clock, {
      run: () => {
        started = true;
        return new Promise(() => {});
      },
    });
    clock.advance(5 * MINUTE);
    await eventually('the start', async () => started);
    await created.abandon();
    const { created: next, runs } = await scheduler(clock);
    await ran(runs, 1);
    await next.close();
  });

  test('are between its start and its end', async () => {
    const clock = new Clock();
    const day = 24 * 60 * MINUTE;
    const { created, runs } = await scheduler(clock, {
      expression: 'rate(1 day)',
      start: new Date(clock.now() + 2 * day).toISOString(),
      end: new Date(clock.now() + 3.5 * day).toISOString(),
    });
    clock.advance(1.9 * day);
    expect(runs).toHaveLength(0);
    clock.advance(1.2 * day);
    await ran(runs, 1);
    clock.advance(5 * day);
    expect(runs).toHaveLength(1);
    await created.close();
  });

  test('a schedule can be run by hand, and an unknown one is named in the error', async () => {
    const { created, runs } = await scheduler(new Clock());
    await created.fire('sweep');
    expect(runs).toHaveLength(1);
    await expect(created.fire('swep')).rejects.toThrow('there is no schedule swep: there are sweep');
    await created.close();
  });
});

const SCHEDULE = {
  functions: { recorder: RECORDER },
  outputs: { Dead: { Value: { Ref: 'Dead' } } },
  resources: {
    FunctionRole: role('logs:PutLogEvents'),
    Function: fn('recorder', 'FunctionRole'),
    Dead: { Type: 'AWS::SQS::Queue' },
    ScheduleRole: role('lambda:InvokeFunction', 'sqs:SendMessage'),
    Schedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ScheduleExpression: 'rate(5 minutes)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          Arn: { 'Fn::GetAtt': ['Function', 'Arn'] },
          RoleArn: { 'Fn::GetAtt': ['ScheduleRole', 'Arn'] },
          Input: '{"from":"schedule"}',
          RetryPolicy: { MaximumRetryAttempts: 0 },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['Dead', 'Arn'] } },
        },
      },
    },
  },
};

test('a schedule that is due invokes its function', async () => {
  await using small = await smallCloud(SCHEDULE);
  small.cloud.clock.advance(5 * MINUTE);
  expect(await eventually('the run', async () => (await small.written())[0])).toEqual({ from: 'schedule' });
});

test("a schedule's input contains its ARN and its time where it refers to them", async () => {
  const resources = structuredClone(SCHEDULE.resources);
  resources.Schedule.Properties.Target.Input =
    '{"by":"<aws.scheduler.schedule-arn>","at":"<aws.scheduler.scheduled-time>"}';
  await using small = await smallCloud({ ...SCHEDULE, resources });
  const bootedBy = small.cloud.clock.now();
  small.cloud.clock.advance(7 * MINUTE);
  const [event] = (await eventually('the run', async () => {
    const written = await small.written();
    return written.length > 0 && written;
  })) as [{ by: string; at: string }];
  expect(event.by).toBe('arn:aws:scheduler:us-east-1:123456789012:schedule/default/small-schedule');
  expect(event.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  // When it was due, not when it ran.
  expect(Math.round((Date.parse(event.at) - bootedBy) / MINUTE)).toBe(5);
});

test('a schedule that refers to ids of attempts is refused at boot', async () => {
  const resources = structuredClone(SCHEDULE.resources);
  resources.Schedule.Properties.Target.Input = '{"id":"<aws.scheduler.execution-id>"}';
  await expect(smallCloud({ ...SCHEDULE, resources })).rejects.toThrow(
    'Schedule.Target.Input: ids of attempts are not served',
  );
});

test('the event of a schedule whose role may not invoke goes to the dead-letter queue', async () => {
  const resources = { ...SCHEDULE.resources, ScheduleRole: role('sqs:SendMessage') };
  await using small = await smallCloud({ ...SCHEDULE, resources });
  await small.cloud.fireSchedule('small-schedule');
  const { Messages } = await small.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: small.cloud.outputs.Dead, MessageAttributeNames: ['All'] }),
  );
  expect(Messages?.[0]?.Body).toBe('{"from":"schedule"}');
  expect(Messages?.[0]?.MessageAttributes?.ERROR_CODE?.StringValue).toBe('AccessDeniedException');
  expect(await small.written()).toEqual([]);
});

test('a rule with a schedule sends a scheduled event', async () => {
  await using small = await smallCloud({
    outputs: { Url: { Value: { Ref: 'Queue' } } },
    resources: {
      Queue: { Type: 'AWS::SQS::Queue' },
      Policy: queuePolicy('Queue', 'Rule'),
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          ScheduleExpression: 'rate(1 hour)',
          Targets: [{ Id: 'T', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } }],
        },
      },
    },
  });
  small.cloud.clock.advance(60 * MINUTE);
  const { Messages } = await small.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: small.cloud.outputs.Url, WaitTimeSeconds: 10 }),
  );
  expect(JSON.parse(Messages?.[0]?.Body ?? '')).toMatchObject({
    source: 'aws.events',
    'detail-type': 'Scheduled Event',
    resources: ['arn:aws:events:us-east-1:123456789012:rule/small-rule'],
    detail: {},
  });
});
