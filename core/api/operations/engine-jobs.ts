import { z } from 'zod';
import { HintReceipt, ProgressReport, SignedRequest, SignRequest } from '../../contracts/http/engine-jobs.ts';
import { JobId } from '../../contracts/ids.ts';
import { op } from '../operation.ts';

const jobId = z.object({ jobId: JobId });

/** For the workers of engines outside of AWS. */
export const engineJobOperations = {
  signEngineRequest: op({
    method: 'POST',
    path: '/engine-jobs/{jobId}/urls',
    tag: 'Operations',
    summary: "Get the signed address of one request to S3, for a worker with its job's secret as bearer token",
    who: 'anyone',
    params: jobId,
    body: SignRequest,
    status: 200,
    repeatable: true,
    answer: SignedRequest,
    problems: ['unauthenticated', 'wrong_state'],
  }),
  reportEngineProgress: op({
    method: 'POST',
    path: '/engine-jobs/{jobId}/progress',
    tag: 'Operations',
    summary: "Report the progress of a job, for a worker with its job's secret as bearer token",
    who: 'anyone',
    params: jobId,
    body: ProgressReport,
    status: 202,
    repeatable: true,
    answer: null,
    problems: ['unauthenticated', 'wrong_state'],
  }),
  hintEngine: op({
    method: 'POST',
    path: '/engine-jobs/{jobId}/hint',
    tag: 'Operations',
    summary: 'Make dropreel ask an endpoint for the state of a job: the webhook of an endpoint that signs nothing',
    who: 'anyone',
    params: jobId,
    query: z.object({ token: z.string().max(200) }),
    status: 200,
    repeatable: true,
    answer: HintReceipt,
    problems: ['unauthenticated', 'conflict'],
  }),
};
