import { Estimate } from '../../../core/contracts/http/estimate.ts';
import { callApi } from '../api.ts';
import type { Check, Run } from '../check.ts';
import { Failed } from '../failed.ts';
import { collectionWith, type Made, makeWith } from '../made.ts';
import { FRAMES_PER_SECOND, framesOf, makeClip, ssim } from '../media.ts';

const CLIP = { durationSeconds: 4, width: 640, height: 360, frameRate: FRAMES_PER_SECOND };
/** What the engines' pictures are held to: docs/engines.md. */
const ALIKE = 0.97;

interface Tried extends Made {
  engine: string;
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
    const tried = await Promise.allSettled(
      estimates.map(async ({ engine }): Promise<Tried> => {
        return { engine, ...(await makeWith(run, engine, file, await collectionWith(run, engine, 'with'))) };
      }),
    );
    const made = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const why = tried.flatMap((one, i) => {
      return one.status === 'rejected' ? [`${estimates[i]?.engine}: ${(one.reason as Error).message}`] : [];
    });
    const [first] = made;
    const likeness = new Map<string, number>();
    for (const one of made) {
      why.push(...(await differences(one, first ?? one)));
      likeness.set(one.engine, first ? await ssim(one.playback.hls, first.playback.hls) : 1);
      if ((likeness.get(one.engine) ?? 0) < ALIKE) {
        why.push(
          `${one.engine}: its pictures are like those of ${first?.engine} by ${likeness.get(one.engine)} (SSIM)`,
        );
      }
    }
    if (why.length > 0) throw new Failed(why.join('; '));
    return made.map((one) => `${one.engine} ${told(one)}, SSIM ${likeness.get(one.engine)?.toFixed(3)}`).join('; ');
  },
};

async function differences({ engine, playback, version }: Tried, first: Tried): Promise<string[]> {
  const wanted = CLIP.durationSeconds * FRAMES_PER_SECOND;
  const frames = await framesOf(playback.hls);
  const [is, should] = [version, first.version].map(({ renditions }) => renditions.map(({ name }) => name).join(' '));
  return [
    ...(frames === wanted ? [] : [`${engine}: its stream has ${frames} of ${wanted} frames`]),
    ...(is === should ? [] : [`${engine}: it made ${is}, and ${first.engine} ${should}`]),
  ];
}

async function estimatesOf(run: Run): Promise<{ engine: string; usd: number }[]> {
  const body = { file: { ...CLIP, videoCodec: 'h264', audioCodec: 'aac' } };
  const answer = await callApi(run, 'POST', '/estimate', body);
  if (answer.status !== 200) throw new Failed(`POST /estimate answered ${answer.status}`);
  return Estimate.parse(answer.body).engines;
}

/** Its time and cost, the estimate of both, and why a GPU was not used. */
function told({ job }: Made): string {
  const { startedAt, finishedAt, cost, estimate, gpu } = job;
  const software = gpu?.encode === false ? `, in software: ${gpu.why}` : '';
  return `${seconds(startedAt, finishedAt)}, ${money(cost?.usd)} (expected ${estimate?.seconds.toFixed(0)} s, ${money(estimate?.usd)})${software}`;
}

function seconds(from?: string, to?: string): string {
  return from && to ? `${Math.round((Date.parse(to) - Date.parse(from)) / 1000)} s` : 'an unknown time';
}

function money(usd: number | undefined): string {
  return usd === undefined ? 'an unknown price' : `$${usd.toFixed(5)}`;
}
