import type { MediaState } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import { eventually } from './cloud.ts';
import { readMedia } from './pipeline.ts';
import { queuesOf, sqsOf } from './queues.ts';

/** Between two steps of the clock, so that an event that no queue holds yet comes to one. */
const REST_MS = 1000;

/**
 * Awaits a state of a media item. Whenever nothing is at work, which means no job, no function and no message that a function
 * could take, some minutes go by, and sweep runs in between.
 */
export async function reachedInTime(
  cloud: Cloud,
  mediaId: string,
  state: MediaState,
  {
    timeoutMs = 90_000,
    stepMinutes = 16,
    isEncoding = () => cloud.batch.running().length + cloud.mediaconvert.running().length > 0,
  } = {},
) {
  const sqs = sqsOf(cloud);
  const isAtWork = () => isEncoding() || cloud.lambda.running().length > 0;
  const canBeTaken = async () => (await queuesOf(sqs)).some(({ dead, visible }) => !dead && visible > 0);
  let restedAt = Date.now();
  return eventually(
    `${mediaId} is ${state}`,
    async () => {
      const media = await readMedia(cloud, mediaId);
      if (media?.state === state) return media;
      if (isAtWork()) restedAt = Date.now();
      if (Date.now() - restedAt < REST_MS) return undefined;
      if (!(await canBeTaken()) && !isAtWork()) cloud.clock.advance(stepMinutes * 60_000);
      restedAt = Date.now();
      return undefined;
    },
    timeoutMs,
  ).finally(() => sqs.destroy());
}
