import { pathToFileURL } from 'node:url';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { fn, POLL, role, smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('what a function was given is read from its files');

/** "If a function is invoked approximately 16 times in the same chain of requests, then Lambda automatically stops the next invocation". */
const RECURSION = 'https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html';
/** Seen on AWS, with a queue: a function that sends to its own queue stops after 16 calls. */
const SEEN = 'https://github.com/boto/boto3/issues/3899';
const SCALING = 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html';
/**
 * "Lambda continues to retry the message until the message's timestamp exceeds your queue's visibility timeout": it retries what
 * it holds, so a throttled message is received again only after that. Seen on AWS, until such messages were dead letters:
 * https://zaccharles.medium.com/reproducing-the-sqs-trigger-and-lambda-concurrency-limit-issue-f4c09d384a18
 */
const BACKOFF = 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html';

const SDK = pathToFileURL(new URL(import.meta.resolve('@aws-sdk/client-sqs')).pathname).href;

/** Notes when it began and ended; sends its message on while that says how often; takes as long as that says. */
const WORKER = `
import { appendFileSync } from 'node:fs';
import { SendMessageCommand, SQSClient } from '${SDK}';
const sqs = new SQSClient({});
export const handler = async ({ Records }) => {
  for (const { body, attributes } of Records) {
    const { times = 0, ms = 0, name = '' } = JSON.parse(body);
    const began = performance.timeOrigin + performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const ended = performance.timeOrigin + performance.now();
    appendFileSync(process.env.OUT, JSON.stringify({ name, times, began, ended, receives: attributes.ApproximateReceiveCount }) + '\\n');
    if (times > 0) await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: JSON.stringify({ times: times - 1 }) }));
  }
};
`;

/** Long for a slow machine's cold start; the cloud's clock is put forward by it. */
const HIDDEN_SECONDS = 60;

function assembly(properties: object = {}, mapping: object = {}) {
  const queue = { 'Fn::GetAtt': ['Queue', 'Arn'] };
  return {
    resources: {
      Queue: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          VisibilityTimeout: HIDDEN_SECONDS,
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 1 },
        },
      },
      Dead: { Type: 'AWS::SQS::Queue' },
      Role: role(...POLL, 'sqs:SendMessage'),
      Function: fn('worker', 'Role', {
        Timeout: HIDDEN_SECONDS,
        Environment: { Variables: { OUT: '{OUT}', QUEUE: { Ref: 'Queue' } } },
        ...properties,
      }),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { FunctionName: { Ref: 'Function' }, EventSourceArn: queue, BatchSize: 1, ...mapping },
      },
    },
    outputs: { Queue: { Value: { Ref: 'Queue' } }, Dead: { Value: { Ref: 'Dead' } } },
    functions: { worker: WORKER },
  };
}

type Small = Awaited<ReturnType<typeof smallCloud>>;
const send = (small: Small, message: object) =>
  small.sqs.send(
    new SendMessageCommand({ QueueUrl: small.cloud.outputs.Queue ?? '', MessageBody: JSON.stringify(message) }),
  );
const seen = async (small: Small) =>
  (await small.written()) as { name: string; times: number; began: number; ended: number; receives: string }[];
const attributesOf = async (small: Small, queue: 'Queue' | 'Dead') => {
  const QueueUrl = small.cloud.outputs[queue] ?? '';
  return (await small.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
};
const inFlight = async (small: Small) =>
  Number((await attributesOf(small, 'Queue')).ApproximateNumberOfMessagesNotVisible);
const deadLetters = async (small: Small) => Number((await attributesOf(small, 'Dead')).ApproximateNumberOfMessages);
const counted = (small: Small, what: string): number =>
  Object.entries(small.cloud.meter.snapshot()).reduce((sum, [name, n]) => sum + (name.includes(what) ? n : 0), 0);
/** Most that were under way at once. */
const together = (spans: { began: number; ended: number }[]) =>
  Math.max(...spans.map(({ began }) => spans.filter((it) => it.began <= began && began < it.ended).length));

describe(`a function that sends to the queue that feeds it (${RECURSION}, ${SEEN})`, () => {
  it('is invoked 16 times in a chain; the 17th invocation is stopped, and its message ends in the dead-letter queue', async () => {
    await using small = await smallCloud(assembly());
    await send(small, { times: 20 });
    await eventually('the chain is stopped', async () => counted(small, 'recursive-invocations-dropped') === 1, 60_000);
    await eventually('the others are done', async () => (await inFlight(small)) === 1);
    small.cloud.clock.advance(HIDDEN_SECONDS * 1000);
    await eventually('its message is among the dead letters', async () => (await deadLetters(small)) === 1);
    expect((await seen(small)).map(({ times }) => times)).toEqual([
      20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5,
    ]);
  });

  it('is not stopped when its RecursiveLoop is Allow', async () => {
    await using small = await smallCloud(assembly({ RecursiveLoop: 'Allow' }));
    await send(small, { times: 20 });
    await eventually('all of the chain ran', async () => (await seen(small)).length === 21, 60_000);
  });

  it('begins a new chain with each message from another sender', async () => {
    await using small = await smallCloud(assembly());
    for (let i = 0; i < 18; i++) await send(small, { name: String(i) });
    await eventually('all ran', async () => (await seen(small)).length === 18, 60_000);
  });
});

describe('the number of concurrent invocations', () => {
  it(`of a mapping is at most its MaximumConcurrency (${SCALING})`, async () => {
    await using small = await smallCloud(assembly({}, { ScalingConfig: { MaximumConcurrency: 2 } }));
    for (let i = 0; i < 8; i++) await send(small, { name: String(i), ms: 200 });
    await eventually('all ran', async () => (await seen(small)).length === 8, 60_000);
    expect(together(await seen(small))).toBe(2);
  });

  it(`is at most the account's limit; a throttled message that runs in time has not used up a receive (${BACKOFF})`, async () => {
    await using small = await smallCloud(assembly(), { concurrency: 2 });
    for (let i = 0; i < 8; i++) await send(small, { name: String(i), ms: 200 });
    await eventually('all ran', async () => (await seen(small)).length === 8, 60_000);
    expect(together(await seen(small))).toBe(2);
    expect(new Set((await seen(small)).map(({ receives }) => receives))).toEqual(new Set(['1']));
  });

  it(`costs a message a receive when the limit is reached for longer than the visibility timeout (${BACKOFF})`, async () => {
    const { resources, ...rest } = assembly();
    const Other = resources.Function;
    const Long = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 360 } };
    const LongMapping = {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { FunctionName: { Ref: 'Other' }, EventSourceArn: { 'Fn::GetAtt': ['Long', 'Arn'] }, BatchSize: 1 },
    };
    await using small = await smallCloud(
      {
        ...rest,
        resources: { ...resources, Other, Long, LongMapping },
        outputs: { ...rest.outputs, Long: { Value: { Ref: 'Long' } } },
      },
      { concurrency: 1 },
    );
    const QueueUrl = small.cloud.outputs.Long ?? '';
    await small.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ name: 'long', ms: 8000 }) }));
    await eventually('the account is full', async () => small.cloud.lambda.running().length > 0);
    await send(small, { name: 'throttled' });
    await eventually('it is throttled', async () => counted(small, 'throttles') > 0);
    small.cloud.clock.advance(HIDDEN_SECONDS * 1000);
    await eventually('its receives are used up', async () => (await deadLetters(small)) === 1, 30_000);
    expect((await seen(small)).map(({ name }) => name)).not.toContain('throttled');
  });
});
