import { GetFunctionRecursionConfigCommand } from '@aws-sdk/client-lambda';
import { Webhook } from 'standardwebhooks';
import { WebhookView, WebhookWithSecret } from '../../../core/contracts/http/webhooks.ts';
import { callApi } from '../api.ts';
import { awaited, type Check, type Run } from '../check.ts';
import { Failed } from '../failed.ts';
import { dropClip, makeClip, ready } from '../media.ts';
import type { ReceivedRequest } from '../receiver.ts';

/** A webhook is signed, is sent again after a 500, and Lambda's loop guard does not end its retries. */
export const webhooks: Check = {
  name: 'webhooks',
  promise: 'a webhook is signed, is sent again after a failure, and is retried for days',
  async run(run) {
    await retriesGoOn(run);
    const receiver = await run.target.receiver();
    run.atEnd('the receiver of webhooks', () => receiver.close());
    const made = await callApi(run, 'POST', '/webhooks', { url: receiver.url, creatorId: run.creatorId });
    if (made.status !== 201) throw new Failed(`POST /webhooks answered ${made.status}: ${JSON.stringify(made.body)}`);
    const { id, secret } = WebhookWithSecret.parse(made.body);
    run.atEnd(
      `the webhook ${id}`,
      async () => void (await callApi(run, 'DELETE', `/webhooks/${id}?creatorId=${run.creatorId}`)),
    );
    // It gets nothing before it has answered a ping.
    await awaited(run, `the webhook ${id} is active`, 600, async () => {
      const { body } = await callApi(run, 'GET', `/webhooks/${id}?creatorId=${run.creatorId}`);
      return WebhookView.parse(body).state === 'active' ? true : undefined;
    });
    const mediaId = await dropClip(run, await makeClip(run, 'told.mp4', 2, '320x180'), 'default');
    // Its deletion at the end waits until a quarter of an hour after its encode.
    await ready(run, mediaId);
    // Whichever event was refused: one of an earlier check's media may arrive first.
    const told = await awaited(run, 'a webhook is retried after a 500', 1200, async () => {
      const requests = await receiver.received();
      const refused = requests.find(({ status }) => status === 500);
      return requests.find(
        ({ headers, status }) => status === 200 && refused && headers['webhook-id'] === refused.headers['webhook-id'],
      );
    });
    verifySignature(secret, told);
    return `${JSON.parse(told.body).type} was refused once, then retried, and its signature is valid`;
  },
};

function verifySignature(secret: string, { body, headers }: ReceivedRequest): void {
  try {
    new Webhook(secret).verify(body, headers);
  } catch (error) {
    throw new Failed(`The signature of a webhook does not hold: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Lambda ends a chain of about 16 invocations through a queue, and webhooks are sent again for three days through one.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
async function retriesGoOn({ target }: Run): Promise<void> {
  const mapped = target.resources.filter(({ ResourceType }) => ResourceType === 'AWS::Lambda::Function');
  const deliverers = mapped.filter(({ LogicalResourceId = '' }) => /DeliverWebhook/.test(LogicalResourceId));
  if (deliverers.length === 0) throw new Failed('The stack has no function that delivers webhooks.');
  for (const { PhysicalResourceId: FunctionName } of deliverers) {
    const { RecursiveLoop } = await target.clients.lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }));
    if (RecursiveLoop === 'Allow') continue;
    throw new Failed(`${FunctionName} has RecursiveLoop ${RecursiveLoop}: Lambda ends its retries after 16 of them.`);
  }
}
