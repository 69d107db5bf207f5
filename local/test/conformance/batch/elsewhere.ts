import { randomBytes } from 'node:crypto';
import {
  type BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  CreateSchedulingPolicyCommand,
  DeleteComputeEnvironmentCommand,
  DeleteJobQueueCommand,
  DeleteSchedulingPolicyCommand,
  DeregisterJobDefinitionCommand,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  RegisterJobDefinitionCommand,
  UpdateComputeEnvironmentCommand,
  UpdateJobQueueCommand,
} from '@aws-sdk/client-batch';
import { eventually } from '../../support/eventually.ts';
import { MOTO, OTHER } from '../target.ts';

/** Names. */
export interface Queues {
  plain: string;
  /** Its state is DISABLED. */
  disabled: string;
  /** It has a scheduling policy. */
  fair: string;
  definition: string;
}

/** AWS takes a minute or two to make, change or delete one of these. */
export const TIMEOUT_MS = 300_000;

/** Makes queues without room with the API of an endpoint; disposing of them removes them and their jobs. */
export async function makeQueues(client: BatchClient): Promise<Queues & AsyncDisposable> {
  const prefix = `conformance-${randomBytes(4).toString('hex')}`;
  const names = { plain: `${prefix}-plain`, disabled: `${prefix}-disabled`, fair: `${prefix}-fair` };
  const computeEnvironment = await makeComputeEnvironment(client, `${prefix}-none`);
  const { arn } = await client.send(
    new CreateSchedulingPolicyCommand({ name: prefix, fairsharePolicy: { shareDecaySeconds: 3600 } }),
  );
  for (const [kind, jobQueueName] of Object.entries(names)) {
    await client.send(
      new CreateJobQueueCommand({
        jobQueueName,
        priority: 1,
        state: kind === 'disabled' ? 'DISABLED' : 'ENABLED',
        computeEnvironmentOrder: [{ order: 1, computeEnvironment }],
        ...(kind === 'fair' && { schedulingPolicyArn: arn }),
      }),
    );
    await queueIs(client, jobQueueName, 'VALID');
  }
  const definition = `${prefix}-worker`;
  await client.send(
    new RegisterJobDefinitionCommand({
      jobDefinitionName: definition,
      type: 'container',
      containerProperties: {
        image: 'public.ecr.aws/docker/library/busybox:latest',
        resourceRequirements: [
          { type: 'VCPU', value: '1' },
          { type: 'MEMORY', value: '128' },
        ],
      },
    }),
  );
  return {
    ...names,
    definition,
    async [Symbol.asyncDispose]() {
      for (const jobQueue of Object.values(names)) await removeQueue(client, jobQueue);
      await client.send(new DeleteSchedulingPolicyCommand({ arn }));
      await client.send(new DeregisterJobDefinitionCommand({ jobDefinition: `${definition}:1` }));
      await client.send(new UpdateComputeEnvironmentCommand({ computeEnvironment, state: 'DISABLED' }));
      await computeEnvironmentIs(client, computeEnvironment, 'VALID');
      await client.send(new DeleteComputeEnvironmentCommand({ computeEnvironment }));
    },
  };
}

async function makeComputeEnvironment(client: BatchClient, computeEnvironmentName: string): Promise<string> {
  const serviceRole = MOTO ? await prepareMoto() : undefined;
  await client.send(
    new CreateComputeEnvironmentCommand({ computeEnvironmentName, type: 'UNMANAGED', state: 'ENABLED', serviceRole }),
  );
  await computeEnvironmentIs(client, computeEnvironmentName, 'VALID');
  return computeEnvironmentName;
}

/** Has moto run jobs without Docker. Resolves to a role: moto makes none by itself. */
async function prepareMoto(): Promise<string> {
  const url = OTHER?.endpoint ?? '';
  await fetch(`${url}/moto-api/config`, { method: 'POST', body: '{"batch": {"use_docker": false}}' });
  const Action = 'CreateRole';
  await fetch(url, {
    method: 'POST',
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request' },
    body: new URLSearchParams({ Action, RoleName: 'batch', AssumeRolePolicyDocument: '{}', Version: '2010-05-08' }),
  });
  return 'arn:aws:iam::123456789012:role/batch';
}

async function removeQueue(client: BatchClient, jobQueue: string): Promise<void> {
  await client.send(new UpdateJobQueueCommand({ jobQueue, state: 'DISABLED' }));
  await queueIs(client, jobQueue, 'VALID');
  await client.send(new DeleteJobQueueCommand({ jobQueue }));
  await queueIs(client, jobQueue, 'DELETED');
}

const queueIs = (client: BatchClient, name: string, status: string) =>
  eventually(
    `queue ${name} is ${status}`,
    async () => {
      const { jobQueues } = await client.send(new DescribeJobQueuesCommand({ jobQueues: [name] }));
      return (jobQueues?.[0]?.status ?? 'DELETED') === status;
    },
    TIMEOUT_MS,
  );

const computeEnvironmentIs = (client: BatchClient, name: string, status: string) =>
  eventually(
    `compute environment ${name} is ${status}`,
    async () => {
      const command = new DescribeComputeEnvironmentsCommand({ computeEnvironments: [name] });
      return (await client.send(command)).computeEnvironments?.[0]?.status === status;
    },
    TIMEOUT_MS,
  );
