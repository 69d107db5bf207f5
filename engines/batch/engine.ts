import type { BatchClient } from '@aws-sdk/client-batch';
import type { Engine } from '../engine.ts';
import { cancel, describe, lookAtEnvironments, lookAtQueue, submit } from './client.ts';
import { readEvent } from './events.ts';
import type { BatchEnv } from './names.ts';
import { isLong, queueOf, shareOf } from './queues.ts';
import { FORGOTTEN } from './reasons.ts';

/** What both engines on AWS Batch have in common: a job is one worker's. */
export function connectBatch(
  env: Omit<BatchEnv, 'MAX_WORKERS' | 'JOB_BUCKET'>,
  clients: { submitting: BatchClient; others: BatchClient },
): Omit<Engine, 'estimate'> {
  const { submitting, others } = clients;
  const queues = [env.JOB_QUEUE, env.RETRANSCODE_JOB_QUEUE, env.ON_DEMAND_JOB_QUEUE];
  return {
    title: 'AWS Batch',
    submit: (submission) => {
      const { job, tried } = submission;
      const queue = queueOf(submission, env);
      return submit(submitting, { job, queue, definition: env.JOB_DEFINITION, share: shareOf(submission), tried });
    },
    async describe(engineJobIds) {
      const known = await describe(others, engineJobIds);
      return new Map(engineJobIds.map((id) => [id, known.get(id) ?? { kind: 'ended', end: FORGOTTEN }]));
    },
    cancel: (engineJobId, why) => cancel(others, engineJobId, why),
    read: async (message) => readEvent(message),
    async look() {
      const [states, environments] = await Promise.all([
        Promise.all(queues.map((queue) => lookAtQueue(others, queue))),
        lookAtEnvironments(others, env.COMPUTE_ENVIRONMENTS),
      ]);
      return { queues: states, ...environments };
    },
    needsOnDemand: (source, preset) => isLong(source, preset, env.JOB_VCPUS),
  };
}
