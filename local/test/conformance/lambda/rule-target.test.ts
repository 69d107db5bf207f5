/** A function as a rule's target: docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { developer, fn, RECORDER, role, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('what a function was given is read from its files');

const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

function ruleToFunction(permission: object | undefined, target: object = {}) {
  return {
    functions: { recorder: RECORDER },
    resources: {
      Role: role('logs:PutLogEvents'),
      Function: fn('recorder', 'Role'),
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['my.app'] },
          Targets: [{ Id: 'T', Arn: arn('Function'), RetryPolicy: { MaximumRetryAttempts: 0 }, ...target }],
        },
      },
      ...(permission && {
        Permission: {
          Type: 'AWS::Lambda::Permission',
          Properties: { Action: 'lambda:InvokeFunction', FunctionName: arn('Function'), ...permission },
        },
      }),
    },
  };
}

async function put(small: SmallCloud, detail: object): Promise<void> {
  const client = new EventBridgeClient(developer(small.cloud));
  const entry = { Source: 'my.app', DetailType: 'x', Detail: JSON.stringify(detail) };
  await client.send(new PutEventsCommand({ Entries: [entry] }));
  client.destroy();
}

test('eb-lambda-permissions: a function that allows the rule to invoke it receives the event', async () => {
  const permission = { Principal: 'events.amazonaws.com', SourceArn: arn('Rule') };
  await using small = await smallCloud(ruleToFunction(permission, { InputPath: '$.detail' }));
  await put(small, { n: 1 });
  expect(await eventually('the event', async () => (await small.written())[0])).toEqual({ n: 1 });
});

test.for<[string, object | undefined]>([
  ['has no permission', undefined],
  ['lets another service', { Principal: 's3.amazonaws.com', SourceArn: arn('Rule') }],
  [
    'lets another rule',
    { Principal: 'events.amazonaws.com', SourceArn: 'arn:aws:events:us-east-1:123456789012:rule/b' },
  ],
])('eb-lambda-permissions: a function that %s is not invoked, and the log names the reason', async ([, permission]) => {
  await using small = await smallCloud(ruleToFunction(permission));
  await put(small, { n: 1 });
  const line = await eventually('the refusal', async () => small.log.find((it) => it.startsWith('rule small-rule')));
  expect(line).toContain(
    'AccessDeniedException: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:small-function',
  );
  expect(await small.written()).toEqual([]);
});
