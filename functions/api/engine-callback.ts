import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { callbackSecret } from '../../aws/engine-key.ts';
import { send } from '../../aws/queue.ts';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { isStale, trackMessageOf } from '../../core/api/callback.ts';
import { ApiError } from '../../core/api/problem.ts';
import { apiKeys } from '../../core/contracts/api.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { count } from '../shared/stack.ts';
import type { Call, Route, Services } from './call.ts';

/** Standard Webhooks refuses timestamps 5 minutes old; a message id is remembered for longer than that. */
const REMEMBERED_SECONDS = 3600;

/**
 * An engine says that a job ended. A forged, stale or repeated call changes nothing and is counted. What is true is found
 * out by track-job and the job's own result: the message only makes it look.
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
  const row = { type: 'callback', expiresAt: Math.floor(Date.parse(now) / 1000) + REMEMBERED_SECONDS };
  const key = apiKeys.callback(params.jobId, messageId);
  if (await getRow(table, key, z.unknown())) {
    count('callbackRefused');
    return { body: { accepted: false, reason: 'duplicate' } };
  }
  // Sent before it is remembered: a crash between the two has it sent twice, which track-job takes as once.
  await send(sqs, env.TRACK_QUEUE_URL, trackMessageOf(body, params.jobId, messageId, now));
  await apply(table, [{ op: 'put', key, row }]);
  return { body: { accepted: true, reason: 'ok' } };
};

/** The id of the message. */
async function verify(call: Call<'engineCallback'>, { table }: Services): Promise<string> {
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
