import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { callbackSecret } from '../../aws/engine-key.ts';
import { send } from '../../aws/queue.ts';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { calledBack, isStale } from '../../core/api/callback.ts';
import { ApiError } from '../../core/api/problem.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { apiKeys } from '../../core/contracts/table/keys.ts';
import { epochSeconds } from '../../core/time.ts';
import { count } from '../shared/observability.ts';
import type { ApiCall, ApiServices, Route } from './call.ts';

/** Standard Webhooks refuses timestamps 5 minutes old; a message id is remembered for longer than that. */
const REMEMBERED_SECONDS = 3600;

/**
 * An engine reports that a job ended. A forged, stale or repeated call changes nothing and is counted. The message only makes track-job
 * check, and the job's own result decides.
 */
export const engineCallback: Route<'engineCallback'> = async (call, services) => {
  const { table, sqs, env } = services;
  const { params, body, now } = call;
  const messageId = await verify(call, services);
  const { mediaId, n } = parseJobId(params.jobId);
  const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
  if (isStale(body, job, media)) {
    count('callbackRefused');
    return { body: { accepted: false, reason: 'stale' } };
  }
  const row = { type: 'callback', expiresAt: epochSeconds(now, { seconds: REMEMBERED_SECONDS }) };
  const key = apiKeys.callback(params.jobId, messageId);
  if (await getRow(table, key, z.unknown())) {
    count('callbackRefused');
    return { body: { accepted: false, reason: 'duplicate' } };
  }
  // Sent before it is remembered: after a crash between the two it is sent twice, which has the same effect as once in track-job.
  await send(sqs, env.TRACK_QUEUE_URL, calledBack(body, params.jobId));
  await apply(table, [{ op: 'put', key, row }]);
  return { body: { accepted: true, reason: 'ok' } };
};

/** Returns the id of the message. */
async function verify(call: ApiCall<'engineCallback'>, { table }: ApiServices): Promise<string> {
  const { params, rawBody, headers } = call;
  const secret = await callbackSecret(table, params.jobId);
  try {
    new Webhook(secret).verify(rawBody, Object.fromEntries(headers));
    return headers.get('webhook-id') ?? '';
  } catch (cause) {
    count('callbackRefused');
    throw new ApiError('unauthenticated', 'The signature of this call is not valid.', { cause });
  }
}
