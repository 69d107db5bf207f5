import { randomUUID } from 'node:crypto';
import { DescribeAlarmsCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { awaited, type Check, type Run } from '../check.ts';
import { Failed } from '../failed.ts';
import { outputOf } from '../target.ts';

/** An alarm that one object under a wrong key sets off: setting it for a moment misleads nobody for long. */
const QUIETEST = /bad-key$/;

/** The alarm topic lets CloudWatch publish, and what it publishes arrives. */
export const alarms: Check = {
  name: 'alarms',
  promise: 'an alarm reaches the subscribers of the alarm topic',
  async run(run) {
    const { cloudwatch, sqs } = run.target.clients;
    const topic = outputOf(run.target, 'AlarmTopic');
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ ActionPrefix: topic }));
    const alarm = MetricAlarms.find(({ AlarmName = '' }) => QUIETEST.test(AlarmName)) ?? MetricAlarms[0];
    if (!alarm?.AlarmName) throw new Failed(`No alarm has the topic ${topic} as its action.`);
    const inbox = await subscribe(run, topic);
    const set = (StateValue: 'ALARM' | 'OK') =>
      cloudwatch.send(
        new SetAlarmStateCommand({ AlarmName: alarm.AlarmName, StateValue, StateReason: 'verify-deployment' }),
      );
    run.atEnd(`the state of ${alarm.AlarmName}`, async () => void (await set('OK')));
    await set('ALARM');
    await awaited(run, `the alarm ${alarm.AlarmName} reaches the topic ${topic}`, 120, async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: inbox, WaitTimeSeconds: 1 }));
      return Messages.find(({ Body = '' }) => {
        const told = JSON.parse(Body) as { AlarmName?: string; NewStateValue?: string };
        return told.AlarmName === alarm.AlarmName && told.NewStateValue === 'ALARM';
      });
    });
    return `${alarm.AlarmName} was sent to a subscriber`;
  },
};

/** Subscribes a queue of this run to the topic; returns the queue's URL. */
async function subscribe(run: Run, topic: string): Promise<string> {
  const { sns, sqs } = run.target.clients;
  const name = `${run.creatorId}-${randomUUID().slice(0, 8)}`;
  const arn = topic.replace(':sns:', ':sqs:').replace(/[^:]+$/, name);
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: arn,
    Condition: { ArnEquals: { 'aws:SourceArn': topic } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { Policy } }));
  run.atEnd(`the queue ${name}`, async () => void (await sqs.send(new DeleteQueueCommand({ QueueUrl }))));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn: topic,
      Protocol: 'sqs',
      Endpoint: arn,
      Attributes: { RawMessageDelivery: 'true' },
      ReturnSubscriptionArn: true,
    }),
  );
  run.atEnd(
    `the subscription of ${name}`,
    async () => void (await sns.send(new UnsubscribeCommand({ SubscriptionArn }))),
  );
  return QueueUrl;
}
