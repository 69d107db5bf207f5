import { CollectionView } from '../../../core/contracts/http/collections.ts';
import { Estimate } from '../../../core/contracts/http/estimate.ts';
import { callApi } from '../api.ts';
import type { Check, Run } from '../check.ts';
import { Failed } from '../failed.ts';
import { dropClip, FRAMES_PER_SECOND, framesOf, jobsOf, makeClip, ready } from '../media.ts';

const CLIP = { durationSeconds: 4, width: 640, height: 360, frameRate: FRAMES_PER_SECOND };
/** An instance with a GPU has to boot first, and MediaConvert's jobs have three parts. */
const LONGEST_SECONDS = 2400;

/** What one engine made of the clip. */
interface Made {
  engine: string;
  renditions: string;
  frames: number;
  /** The estimate, and what the job cost. */
  told: string;
}

/** Each engine of the deployment makes the same of one clip. */
export const engines: Check = {
  name: 'engines',
  promise: 'each engine of the deployment makes the same of a clip',
  async run(run) {
    const estimates = await estimatesOf(run);
    const usd = estimates.reduce((sum, one) => sum + one.usd, 0);
    run.say(`engines: ${estimates.map(({ engine }) => engine).join(', ')}, for ${money(usd)} by their estimates`);
    const file = await makeClip(run, 'engine.mp4', CLIP.durationSeconds, `${CLIP.width}x${CLIP.height}`);
    // At the same time, because most of it is waiting; each to its end, because what one leaves is to be removed.
    const tried = await Promise.allSettled(estimates.map(({ engine }) => makeWith(run, engine, file)));
    const made = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const why = tried.flatMap((one, i) => {
      return one.status === 'rejected' ? [`${estimates[i]?.engine}: ${(one.reason as Error).message}`] : [];
    });
    const [first] = made;
    for (const { engine, renditions, frames } of made) {
      const wanted = CLIP.durationSeconds * FRAMES_PER_SECOND;
      if (frames !== wanted) why.push(`${engine}: its stream has ${frames} of ${wanted} frames`);
      if (renditions !== first?.renditions)
        why.push(`${engine}: it made ${renditions}, and ${first?.engine} ${first?.renditions}`);
    }
    if (why.length > 0) throw new Failed(why.join('; '));
    return made.map(({ engine, told }) => `${engine} ${told}`).join('; ');
  },
};

async function estimatesOf(run: Run): Promise<{ engine: string; usd: number }[]> {
  const body = { file: { ...CLIP, videoCodec: 'h264', audioCodec: 'aac' } };
  const answer = await callApi(run, 'POST', '/estimate', body);
  if (answer.status !== 200) throw new Failed(`POST /estimate answered ${answer.status}`);
  return Estimate.parse(answer.body).engines;
}

async function makeWith(run: Run, engine: string, file: string): Promise<Made> {
  const collection = { id: `with-${engine}`, engine, creatorId: run.creatorId };
  const answer = await callApi(run, 'POST', '/collections', collection);
  if (answer.status !== 201) throw new Failed(`POST /collections answered ${answer.status}`);
  const { id } = CollectionView.parse(answer.body);
  run.atEnd(
    `the collection ${id}`,
    async () => void (await callApi(run, 'DELETE', `/collections/${id}?creatorId=${run.creatorId}`)),
  );
  const mediaId = await dropClip(run, file, id);
  const { playback, version } = await ready(run, mediaId, { seconds: LONGEST_SECONDS });
  const [job] = await jobsOf(run, mediaId);
  if (job?.engine !== engine) throw new Failed(`the media item ${mediaId} was made by ${job?.engine}`);
  if (!playback) throw new Failed(`the media item ${mediaId} is ready, but the API gives no playback address`);
  for (const [name, url = ''] of Object.entries(playback)) {
    const { ok, status, body } = await fetch(url);
    await body?.cancel();
    if (!ok) throw new Failed(`${name} of the media item ${mediaId} answers ${status}`);
  }
  return {
    engine,
    renditions: version?.renditions.map(({ name }) => name).join(' ') ?? '',
    frames: await framesOf(playback.hls),
    told: `${seconds(job.startedAt, job.finishedAt)}, ${money(job.cost?.usd)} (expected ${job.estimate?.seconds.toFixed(0)} s, ${money(job.estimate?.usd)})`,
  };
}

function seconds(from?: string, to?: string): string {
  return from && to ? `${Math.round((Date.parse(to) - Date.parse(from)) / 1000)} s` : 'an unknown time';
}

function money(usd: number | undefined): string {
  return usd === undefined ? 'an unknown price' : `$${usd.toFixed(5)}`;
}
