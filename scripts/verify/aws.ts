import { randomUUID } from 'node:crypto';
import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { Failed } from './failed.ts';
import type { ReceivedRequest, Receiver } from './receiver.ts';
import { receiverTemplate } from './receiver-stack.ts';
import { type ClientConfig, type Clients, clientsOf, describeStack, type Target } from './target.ts';

const STACK_SECONDS = 600;

/**
 * A deployment in an account of AWS.
 * @param token of an operator, or client credentials that give one
 */
export async function awsTarget(
  config: ClientConfig,
  stack: string,
  token: (outputs: Readonly<Record<string, string>>) => Promise<string>,
): Promise<Target> {
  const clients = clientsOf(config);
  const { outputs, resources } = await describeStack(clients, stack);
  return {
    stack,
    outputs,
    resources,
    clients,
    token: () => token(outputs),
    receiver: () => receiverStack(clients, stack),
    patience: 1,
    pollMs: 5000,
    longClip: { seconds: 120, size: '1920x1080' },
  };
}

/** `CLIENT_ID:CLIENT_SECRET` of a machine with the operator's scope, exchanged for a token that is used until it expires. */
export function clientCredentials(idAndSecret: string): (outputs: Readonly<Record<string, string>>) => Promise<string> {
  let known: { token: string; until: number } | undefined;
  return async ({ TokenUrl }) => {
    if (known && known.until > Date.now()) return known.token;
    if (TokenUrl === undefined) throw new Failed('The stack uses an issuer of yours: set DROPREEL_TOKEN instead.');
    const response = await fetch(TokenUrl, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(idAndSecret).toString('base64')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    });
    if (!response.ok) throw new Failed(`${TokenUrl} gave no token (${response.status}): ${await response.text()}`);
    const answer = (await response.json()) as { access_token: string; expires_in: number };
    known = { token: answer.access_token, until: Date.now() + (answer.expires_in - 60) * 1000 };
    return known.token;
  };
}

/** A separate stack with a function behind an address, which exists for the run only. */
async function receiverStack(clients: Clients, stack: string): Promise<Receiver> {
  const { cloudformation, sqs } = clients;
  const StackName = `${stack}-verify-${randomUUID().slice(0, 8)}`;
  await cloudformation.send(
    new CreateStackCommand({
      StackName,
      TemplateBody: JSON.stringify(receiverTemplate()),
      Capabilities: ['CAPABILITY_IAM'],
      OnFailure: 'DELETE',
    }),
  );
  const waiting = { client: cloudformation, maxWaitTime: STACK_SECONDS };
  await waitUntilStackCreateComplete(waiting, { StackName });
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
  const output = (name: string) => Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue ?? '';
  const QueueUrl = output('Inbox');
  const requests: ReceivedRequest[] = [];
  return {
    url: output('Url'),
    async received() {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      for (const { Body = '{}', ReceiptHandle } of Messages) {
        requests.push(JSON.parse(Body) as ReceivedRequest);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      return requests;
    },
    async close() {
      await cloudformation.send(new DeleteStackCommand({ StackName }));
      await waitUntilStackDeleteComplete(waiting, { StackName });
    },
  };
}
