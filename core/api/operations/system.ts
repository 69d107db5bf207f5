import { z } from 'zod';
import { Estimate, EstimateRequest } from '../../contracts/http/estimate.ts';
import { CallbackReceipt, EngineCallback, Health, Me, Stats } from '../../contracts/http/system.ts';
import { JobId } from '../../contracts/ids.ts';
import { op, owner } from '../operation.ts';

export const systemOperations = {
  getOpenApi: op({
    method: 'GET',
    path: '/openapi.json',
    tag: 'Operations',
    summary: 'Get this document',
    who: 'anyone',
    status: 200,
    answer: z.record(z.string(), z.unknown()),
  }),
  getMe: op({
    method: 'GET',
    path: '/me',
    tag: 'Operations',
    summary: 'Get whom the token stands for, and whether with the scope of operators',
    status: 200,
    answer: Me,
  }),
  getStats: op({
    method: 'GET',
    path: '/stats',
    tag: 'Operations',
    summary: "Get counts, minutes, bytes and costs: one's own, or of everyone for operators",
    query: owner,
    status: 200,
    answer: Stats,
  }),
  estimate: op({
    method: 'POST',
    path: '/estimate',
    tag: 'Operations',
    summary:
      'Get what each engine would take to encode a media item, a collection or a file, and which one would be chosen',
    body: EstimateRequest,
    status: 200,
    repeatable: true,
    answer: Estimate,
    problems: ['not_found'],
  }),
  getHealth: op({
    method: 'GET',
    path: '/health',
    tag: 'Operations',
    summary: 'Get the health of the pipeline: queues, stuck jobs, failures, the last sweep',
    who: 'operator',
    status: 200,
    answer: Health,
  }),
  engineCallback: op({
    method: 'POST',
    path: '/engine-callbacks/{jobId}',
    tag: 'Operations',
    summary: 'Report the end of a job, for engines that report by HTTP; signed per job as Standard Webhooks',
    who: 'anyone',
    params: z.object({ jobId: JobId }),
    body: EngineCallback,
    status: 202,
    answer: CallbackReceipt,
    problems: ['unauthenticated'],
  }),
};
