import { timingSafeEqual } from 'node:crypto';
import { callbackSecret, hintToken } from '../../aws/engine-key.ts';
import { presignRequest } from '../../aws/presign.ts';
import { send } from '../../aws/queue.ts';
import { getJob } from '../../aws/table.ts';
import { ApiError } from '../../core/api/problem.ts';
import { DETAIL, type EngineHint, type JobProgress, SOURCE } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { jobFor } from '../../core/jobs/transitions.ts';
import { presetOf } from '../shared/encoding.ts';
import { count } from '../shared/observability.ts';
import type { ApiServices, Routes } from './call.ts';

/** What workers outside of AWS ask for, and what their endpoint says. */
export const engineJobRoutes: Routes<'signEngineRequest' | 'reportEngineProgress' | 'hintEngine'> = {
  async signEngineRequest({ params, body, headers }, services) {
    const row = await unfinished(services, params.jobId, headers);
    if (!services.workerS3) throw over();
    const job = jobFor(row, presetOf(row), services.env.MEDIA_BUCKET);
    // What the job may do is decided by its session's policy.
    return { body: await presignRequest(await services.workerS3(job), body) };
  },

  async reportEngineProgress({ params, body, headers, now, requestId }, services) {
    // Whichever engine job reports: only the one that has the claim does, and the row may still name another.
    await unfinished(services, params.jobId, headers);
    const event: JobProgress = {
      id: requestId,
      time: now,
      source: SOURCE.worker,
      'detail-type': DETAIL.progress,
      // A sign of life counts from when it came: the clock of that machine is a stranger's.
      detail: { ...body, jobId: params.jobId, at: now },
    };
    await send(services.sqs, services.env.TRACK_QUEUE_URL, event);
    return { body: null };
  },

  async hintEngine({ params, query }, services) {
    const { table, sqs, env } = services;
    if (!isSame(query.token, await hintToken(table, params.jobId))) throw forged();
    const { mediaId, n } = parseJobId(params.jobId);
    const job = await getJob(table, mediaId, n);
    if (!job || !isUnfinished(job)) return { body: { accepted: false } };
    const { jobId, engineJobId, engine } = job;
    // The endpoint calls again in some seconds.
    if (engineJobId === undefined) throw new ApiError('conflict', 'The job is being submitted.');
    // What the call says of the job is not read.
    const hint: EngineHint = {
      source: SOURCE.pipeline,
      'detail-type': DETAIL.hint,
      detail: { jobId, engineJobId, engine },
    };
    await send(sqs, env.TRACK_QUEUE_URL, hint);
    return { body: { accepted: true } };
  },
};

/** @throws ApiError where the secret is not that of the job, or the job has ended */
async function unfinished({ table }: ApiServices, jobId: string, headers: Headers): Promise<JobRow> {
  const given = headers.get('authorization') ?? '';
  if (!isSame(given, `Bearer ${await callbackSecret(table, jobId)}`)) throw forged();
  const { mediaId, n } = parseJobId(jobId);
  const job = await getJob(table, mediaId, n);
  if (!job || !isUnfinished(job)) throw over();
  return job;
}

function isUnfinished({ state }: JobRow): boolean {
  return state === 'queued' || state === 'running';
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function forged(): ApiError {
  count('callbackRefused');
  return new ApiError('unauthenticated', 'The secret of this call is not that of the job.');
}

function over(): ApiError {
  return new ApiError('wrong_state', 'The job has ended.');
}
