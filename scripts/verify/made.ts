import { CollectionView } from '../../core/contracts/http/collections.ts';
import type { JobView, MediaView } from '../../core/contracts/http/media.ts';
import { callApi } from './api.ts';
import type { Run } from './check.ts';
import { Failed } from './failed.ts';
import { dropClip, jobsOf, ready } from './media.ts';

/** An instance with a GPU has to boot first, and MediaConvert's jobs have three parts. */
const LONGEST_SECONDS = 2400;

/** What one engine made of a clip. */
export interface Made {
  job: JobView;
  playback: NonNullable<MediaView['playback']>;
  version: NonNullable<MediaView['version']>;
}

/** A collection of the run whose uploads that engine encodes. */
export async function collectionWith(run: Run, engine: string, purpose: string): Promise<string> {
  const collection = { id: `${purpose}-${engine}`, engine, creatorId: run.creatorId };
  const answer = await callApi(run, 'POST', '/collections', collection);
  if (answer.status !== 201) throw new Failed(`POST /collections answered ${answer.status}`);
  const { id } = CollectionView.parse(answer.body);
  run.atEnd(
    `the collection ${id}`,
    async () => void (await callApi(run, 'DELETE', `/collections/${id}?creatorId=${run.creatorId}`)),
  );
  return id;
}

/**
 * Encodes a clip, and reads all of its outputs.
 * @throws Failed where one is missing, or another engine made them
 */
export async function makeWith(run: Run, engine: string, file: string, collectionId: string): Promise<Made> {
  const mediaId = await dropClip(run, file, collectionId);
  const { playback, version } = await ready(run, mediaId, { seconds: LONGEST_SECONDS });
  const [job] = await jobsOf(run, mediaId);
  if (job?.engine !== engine) throw new Failed(`the media item ${mediaId} was made by ${job?.engine}`);
  if (!playback || !version)
    throw new Failed(`the media item ${mediaId} is ready, but the API gives no playback address`);
  for (const [name, url = ''] of Object.entries(playback)) {
    const { ok, status, body } = await fetch(url);
    await body?.cancel();
    if (!ok) throw new Failed(`${name} of the media item ${mediaId} answers ${status}`);
  }
  return { job, playback, version };
}
