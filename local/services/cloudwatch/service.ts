import { z } from 'zod';
import { ACCOUNT_ID } from '../../kernel/account.ts';
import { jsonError, jsonResponse, operationOf, readInput } from '../../kernel/aws-json.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AwsError, type Service } from '../../kernel/service.ts';
import type { Sns } from '../sns/service.ts';
import type { Sqs } from '../sqs/service.ts';
import type { AlarmConfiguration } from './template.ts';

const State = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
type State = z.infer<typeof State>;

const SetAlarmState = z.object({ AlarmName: z.string(), StateValue: State, StateReason: z.string().max(1023) });
const DescribeAlarms = z.object({ ActionPrefix: z.string().default('') });
/** The one metric that is measured here; another one is an error, so that nothing looks measured that is not. */
const AgeOfOldest = z.object({
  Namespace: z.literal('AWS/SQS'),
  MetricName: z.literal('ApproximateAgeOfOldestMessage'),
  Dimensions: z.tuple([z.object({ Name: z.literal('QueueName'), Value: z.string() })]),
});
const GetMetricData = z.object({
  MetricDataQueries: z
    .array(
      z.object({
        Id: z.string().regex(/^[a-z][A-Za-z0-9_]*$/),
        MetricStat: z.object({ Metric: AgeOfOldest, Period: z.literal(60), Stat: z.literal('Maximum') }),
      }),
    )
    .max(500),
  /** Seconds since the epoch. */
  StartTime: z.number(),
  EndTime: z.number(),
});

/**
 * Alarms without metrics: SetAlarmState sets a state, and the alarm's actions run as in CloudWatch. Of metrics there is the age of the oldest
 * message of a queue, measured when it is asked for.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
 */
export function createCloudWatch(
  alarms: readonly AlarmConfiguration[],
  {
    sns,
    sqs,
    clock,
    log,
  }: { sns: Sns; sqs: Pick<Sqs, 'oldestIn'>; clock: Pick<Clock, 'iso' | 'now'>; log: (line: string) => void },
): Service {
  const states = new Map<string, State>();

  async function set(input: z.infer<typeof SetAlarmState>): Promise<object> {
    const { AlarmName, StateValue, StateReason } = input;
    const alarm = alarms.find(({ name }) => name === AlarmName);
    if (!alarm) throw new AwsError('ResourceNotFound', 404, `There is no alarm ${AlarmName}`);
    const OldStateValue = states.get(AlarmName) ?? 'INSUFFICIENT_DATA';
    states.set(AlarmName, StateValue);
    // "Actions are triggered when the alarm changes state".
    if (OldStateValue === StateValue) return {};
    const message = JSON.stringify({
      AlarmName,
      AWSAccountId: ACCOUNT_ID,
      NewStateValue: StateValue,
      NewStateReason: StateReason,
      StateChangeTime: clock.iso(),
      OldStateValue,
      AlarmArn: alarm.arn,
    });
    for (const action of alarm.actionsOn[StateValue]) {
      const principal = { type: 'service', service: 'cloudwatch.amazonaws.com', sourceArn: alarm.arn } as const;
      // On AWS a failure is recorded in the alarm's history only; the caller gets no error.
      await sns
        .publish(action, message, principal)
        .catch((error: Error) => log(`cloudwatch: ${AlarmName}: failed to execute action ${action}: ${error.message}`));
    }
    return {};
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
  function measured({ MetricDataQueries, StartTime, EndTime }: z.infer<typeof GetMetricData>): object {
    if (StartTime >= EndTime) throw new AwsError('ValidationError', 400, 'StartTime has to be before EndTime');
    const MetricDataResults = MetricDataQueries.map(({ Id, MetricStat: { Metric } }) => {
      const oldest = sqs.oldestIn(Metric.Dimensions[0].Value);
      const known = oldest === undefined ? [] : [Math.max(0, (clock.now() - oldest) / 1000)];
      return {
        Id,
        Label: Metric.MetricName,
        StatusCode: 'Complete',
        Values: known,
        Timestamps: known.map(() => EndTime),
      };
    });
    return { MetricDataResults, Messages: [] };
  }

  const operations: Record<string, { action: string; run(input: unknown): Promise<object> | object }> = {
    SetAlarmState: { action: 'cloudwatch:SetAlarmState', run: (input) => set(parse(SetAlarmState, input)) },
    GetMetricData: {
      action: 'cloudwatch:GetMetricData',
      run: (input) => measured(parse(GetMetricData, input)),
    },
    DescribeAlarms: {
      action: 'cloudwatch:DescribeAlarms',
      run: (input) => {
        const { ActionPrefix } = parse(DescribeAlarms, input);
        const found = alarms.filter(({ actions }) => actions.some((arn) => arn.startsWith(ActionPrefix)));
        const MetricAlarms = found.map(({ name, arn, actionsOn }) => ({
          AlarmName: name,
          AlarmArn: arn,
          AlarmActions: actionsOn.ALARM,
          OKActions: actionsOn.OK,
          StateValue: states.get(name) ?? 'INSUFFICIENT_DATA',
        }));
        return { MetricAlarms, CompositeAlarms: [] };
      },
    },
  };

  return {
    name: 'monitoring',
    operation: ({ headers }) => operationOf(headers),
    async handle(request) {
      const name = operationOf(request.headers);
      const operation = operations[name];
      if (!operation) throw new AwsError('InvalidAction', 400, `CloudWatch ${name} is not served locally.`);
      request.authorize({ action: operation.action, resource: '*' });
      return jsonResponse('1.0', await operation.run(await readInput(request.body)));
    },
    renderError: (error) => jsonError('1.0', error),
  };
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const { success, data, error } = schema.safeParse(input);
  if (!success) throw new AwsError('InvalidParameterValue', 400, z.prettifyError(error));
  return data;
}
