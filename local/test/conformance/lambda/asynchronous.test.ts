/**
 * Asynchronous invocations, as docs.aws.amazon.com/lambda/latest/dg/ says; the page is in each title. A rule of EventBridge
 * invokes so.
 */
import { writeFile } from 'node:fs/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { developer, fn, role, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('what a function was given is read from its files');

const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Writes each attempt; then fails, or works until there is a file of the name of OUT with `.go`, as the event says. */
const SOURCE = `
import { appendFileSync, existsSync } from 'node:fs';
export const handler = async (event, { awsRequestId }) => {
  appendFileSync(process.env.OUT, JSON.stringify({ n: event.n, id: awsRequestId, at: Date.now() }) + '\\n');
  if (event.fail) throw new RangeError('too far');
  while (event.work && !existsSync(process.env.OUT + '.go')) await new Promise((done) => setTimeout(done, 20));
};`;

interface Attempt {
  n: number;
  id: string;
  at: number;
}

function invoked(changes: { config?: object; fn?: object; actions?: string[]; target?: object } = {}) {
  return {
    functions: { worker: SOURCE },
    outputs: { Failed: { Value: { Ref: 'Failed' } }, Dead: { Value: { Ref: 'Dead' } } },
    resources: {
      Failed: { Type: 'AWS::SQS::Queue' },
      Dead: { Type: 'AWS::SQS::Queue' },
      DeadPolicy: deadLettersOf('Rule'),
      Role: role(...(changes.actions ?? ['sqs:SendMessage'])),
      Function: fn('worker', 'Role', changes.fn),
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: arn('Function'),
          Principal: 'events.amazonaws.com',
          SourceArn: arn('Rule'),
        },
      },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['my.app'] },
          Targets: [
            {
              Id: 'T',
              Arn: arn('Function'),
              InputPath: '$.detail',
              DeadLetterConfig: { Arn: arn('Dead') },
              ...changes.target,
            },
          ],
        },
      },
      ...(changes.config && {
        Config: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: {
            FunctionName: { Ref: 'Function' },
            Qualifier: '$LATEST',
            DestinationConfig: { OnFailure: { Destination: arn('Failed') } },
            ...changes.config,
          },
        },
      }),
    },
  };
}

function deadLettersOf(ruleId: string) {
  const Statement = [
    {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: arn('Dead'),
      Condition: { ArnEquals: { 'aws:SourceArn': arn(ruleId) } },
    },
  ];
  return { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Dead' }], PolicyDocument: { Statement } } };
}

async function put(small: SmallCloud, detail: object): Promise<void> {
  const client = new EventBridgeClient(developer(small.cloud));
  const entry = { Source: 'my.app', DetailType: 'x', Detail: JSON.stringify(detail) };
  await client.send(new PutEventsCommand({ Entries: [entry] }));
  client.destroy();
}

/** Once so many attempts have begun, and none is under way any more. */
const attempts = (small: SmallCloud, count: number) =>
  eventually(`${count} attempts`, async () => {
    const written = (await small.written()) as Attempt[];
    return written.length >= count && small.cloud.lambda.running().length === 0 && written;
  });

const begun = (small: SmallCloud, count: number) =>
  eventually(`${count} attempts`, async () => {
    const written = (await small.written()) as Attempt[];
    return written.length >= count && written;
  });

const throttled = (small: SmallCloud) =>
  eventually('the second event waits', async () => small.log.some((line) => line.includes('is throttled')));

async function receive(small: SmallCloud, output: 'Failed' | 'Dead') {
  const { Messages } = await small.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: small.cloud.outputs[output],
      WaitTimeSeconds: 10,
      MessageAttributeNames: ['All'],
    }),
  );
  if (!Messages?.[0]) throw new Error(`no message came to ${output}`);
  return Messages[0];
}
const record = async (small: SmallCloud) => JSON.parse((await receive(small, 'Failed')).Body ?? '');

test('invocation-async-error-handling: a function that fails is invoked again after one minute and after two more', async () => {
  await using small = await smallCloud(invoked({ config: {} }));
  await put(small, { n: 1, fail: true });
  const [first, second, third] = (await eventually('three attempts', async () => {
    const written = await small.written();
    if (written.length === 3) return written;
    if (written.length > 0 && small.cloud.lambda.running().length === 0) small.cloud.clock.advance(5 * SECOND);
    return undefined;
  })) as [Attempt, Attempt, Attempt];
  const tensOfSeconds = (from: Attempt, to: Attempt) => Math.floor((to.at - from.at) / (10 * SECOND));
  expect([tensOfSeconds(first, second), tensOfSeconds(second, third)]).toEqual([6, 12]);
  expect([second.id, third.id]).toEqual([first.id, first.id]);

  // invocation-async-retain-records
  expect(await record(small)).toEqual({
    version: '1.0',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    requestContext: {
      requestId: first.id,
      functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:small-function:$LATEST',
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
    },
    requestPayload: { n: 1, fail: true },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: 'RangeError', errorMessage: 'too far', trace: expect.any(Array) },
  });
});

test('invocation-async-configuring: a function without retries is invoked once', async () => {
  await using small = await smallCloud(invoked({ config: { MaximumRetryAttempts: 0 } }));
  await put(small, { n: 1, fail: true });
  expect((await record(small)).requestContext).toMatchObject({
    condition: 'RetriesExhausted',
    approximateInvokeCount: 1,
  });
});

test('invocation-async-configuring: an event past its maximum age is not sent again', async () => {
  await using small = await smallCloud(invoked({ config: { MaximumEventAgeInSeconds: 90 } }));
  await put(small, { n: 1, fail: true });
  await attempts(small, 1);
  small.cloud.clock.advance(MINUTE);
  await attempts(small, 2);
  small.cloud.clock.advance(MINUTE);
  expect((await record(small)).requestContext).toMatchObject({
    condition: 'EventAgeExceeded',
    approximateInvokeCount: 2,
  });
  expect(await small.written()).toHaveLength(2);
});

test('invocation-async-error-handling: an event waits while the function has no concurrency left', async () => {
  await using small = await smallCloud(invoked({ fn: { ReservedConcurrentExecutions: 1, Timeout: 60 } }));
  await put(small, { n: 1, work: true });
  await begun(small, 1);
  await put(small, { n: 2 });
  await throttled(small);
  await writeFile(`${small.directory}/out.jsonl.go`, '');
  await attempts(small, 1);
  small.cloud.clock.advance(SECOND);
  expect((await attempts(small, 2)).map(({ n }) => n)).toEqual([1, 2]);
});

test('invocation-async-error-handling: an event that gets too old while it waits is not sent to the function', async () => {
  const fn = { ReservedConcurrentExecutions: 1, Timeout: 60 };
  await using small = await smallCloud(invoked({ fn, config: { MaximumEventAgeInSeconds: 60 } }));
  await put(small, { n: 1, work: true });
  await begun(small, 1);
  await put(small, { n: 2 });
  await throttled(small);
  small.cloud.clock.advance(MINUTE);
  expect(await record(small)).toMatchObject({
    requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 },
    requestPayload: { n: 2 },
  });
  await writeFile(`${small.directory}/out.jsonl.go`, '');
  expect((await attempts(small, 1)).map(({ n }) => n)).toEqual([1]);
});

test('gettingstarted-limits: an event has at most 1 MB', async () => {
  const InputTransformer = { InputPathsMap: { x: '$.detail.x' }, InputTemplate: '{"n": 1, "a": <x>, "b": <x>}' };
  await using small = await smallCloud(invoked({ target: { InputPath: undefined, InputTransformer } }));
  await put(small, { x: 'x'.repeat(520_000) });
  await attempts(small, 1);
  await put(small, { x: 'x'.repeat(530_000) });
  const line = await eventually('the refusal', async () => small.log.find((it) => it.startsWith('rule small-rule')));
  expect(line).toContain('RequestTooLargeException');
  expect(await small.written()).toHaveLength(1);
});

test('invocation-async: a retry that falls due after a crash takes place', async () => {
  await using small = await smallCloud(invoked());
  await put(small, { n: 1, fail: true });
  const [first] = await attempts(small, 1);
  await small.crashAndRestart();
  small.cloud.clock.advance(MINUTE);
  const [, second] = await attempts(small, 2);
  expect(second?.id).toBe(first?.id);
});

// "For throttling errors (429) and system errors (500-series), Lambda returns the event to the queue"; function errors are those
// of its code and runtime. That these errors are the service's own: https://repost.aws/questions/QUd214DdOQRkKWr7D8IuSMIw
test('invocation-async-error-handling: an event in work when the service crashes is sent again, and no retry is used up', async () => {
  await using small = await smallCloud(invoked({ config: { MaximumRetryAttempts: 0 }, fn: { Timeout: 60 } }));
  await put(small, { n: 1, work: true });
  await begun(small, 1);
  await small.cloud.crash();
  await writeFile(`${small.directory}/out.jsonl.go`, '');
  await small.crashAndRestart();
  await attempts(small, 2);
  expect(small.log.filter((line) => line.includes('given up'))).toEqual([]);
});

test('invocation-async-retain-records: a destination that the role may not send to is refused at boot', async () => {
  await expect(smallCloud(invoked({ config: {}, actions: ['sqs:ReceiveMessage'] }))).rejects.toThrow(
    /the role of small-function does not have permissions to call sqs:SendMessage on arn:aws:sqs:us-east-1:123456789012:small-failed/,
  );
});
