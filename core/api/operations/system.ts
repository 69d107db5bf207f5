import { z } from 'zod';
import { Estimate, EstimateRequest } from '../../contracts/http/estimate.ts';
import {
  CallbackReceipt,
  Costs,
  EngineCallback,
  EngineList,
  Health,
  JobsUnderWay,
  Me,
  Stats,
} from '../../contracts/http/system.ts';
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
  getCosts: op({
    method: 'GET',
    path: '/costs',
    tag: 'Operations',
    summary:
      "Get what jobs cost by day, engine and collection, against what was expected: one's own, or of everyone for operators",
    query: owner.extend({
      /** Up to today. */
      days: z.coerce.number().int().min(1).max(92).default(14),
    }),
    status: 200,
    answer: Costs,
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
  listJobsUnderWay: op({
    method: 'GET',
    path: '/jobs',
    tag: 'Operations',
    summary: 'List the jobs that have not ended, of everyone: those without a sign of life for longest come first',
    who: 'operator',
    status: 200,
    answer: JobsUnderWay,
  }),
  listEngines: op({
    method: 'GET',
    path: '/engines',
    tag: 'Operations',
    summary: 'List the engines: whether they take jobs, and what the last sweep has seen of their queues',
    who: 'operator',
    status: 200,
    answer: EngineList,
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
