import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EngineName } from '../../core/contracts/engines.ts';
import { summary, type Tried, tryPoint, undisturbed } from './explore.ts';
import { FaultCloud } from './fault-cloud.ts';
import { makeMedia } from './media.ts';
import { MEDIA, type Medium, type Point, pointName, pointsOf } from './points.ts';
import type { Ended } from './state.ts';

/** Every nth point only, for a shorter run: DROPREEL_FAULTS_STRIDE. */
const STRIDE = Number(process.env.DROPREEL_FAULTS_STRIDE ?? 1);
/** Only points whose names contain this, DROPREEL_FAULTS_TIMES times each. */
const ONLY = process.env.DROPREEL_FAULTS_ONLY ?? '';
const TIMES = Number(process.env.DROPREEL_FAULTS_TIMES ?? 1);
/** A walk in pieces: from this point on, for about so many minutes. */
const FROM = Number(process.env.DROPREEL_FAULTS_FROM ?? 1);
const MINUTES = Number(process.env.DROPREEL_FAULTS_MINUTES ?? Number.POSITIVE_INFINITY);
/** Of the other engines, the sound alone goes all the way. */
const ENGINE = EngineName.parse(process.env.DROPREEL_FAULTS_ENGINE ?? 'batch-cpu');
const WALKED: readonly Medium[] = ENGINE === 'batch-cpu' ? MEDIA : ['sound'];
const CLOUDS = Number(process.env.DROPREEL_FAULTS_CLOUDS ?? 2);
/** A new cloud after so many flows, so that its table and its clock stay near to those of a real one. */
const FLOWS_PER_CLOUD = 40;

const say = (line: string) => process.stderr.write(`${line}\n`);

it('the result is complete, whichever call fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-faults-'));
  const files = await makeMedia(folder);
  const points: Point[] = [];
  const expected = new Map<Medium, Ended>();
  {
    await using cloud = await FaultCloud.boot({ adverse: false, engine: ENGINE });
    for (const medium of WALKED) {
      const of = { engine: ENGINE, medium };
      const { calls, ended } = await undisturbed(cloud, of, files);
      expected.set(medium, ended);
      points.push(...pointsOf(of, calls));
    }
  }
  // One of each call's kinds comes first, so that a stride other than 1 meets all kinds.
  const strided = points.filter((_, i) => (i + Math.floor(i / STRIDE)) % STRIDE === 0);
  const named = strided.filter((point) => pointName(point).includes(ONLY));
  const chosen = Array.from({ length: TIMES }, () => named).flat();
  expect(chosen).not.toEqual([]);
  say(`${points.length} points, ${chosen.length} of them to be tried`);
  const tried: Tried[] = [];
  const rest = chosen.slice(FROM - 1);
  const until = Date.now() + MINUTES * 60_000;
  await Promise.all(
    Array.from({ length: CLOUDS }, async () => {
      while (rest.length > 0 && Date.now() < until) {
        await using cloud = await FaultCloud.boot({ engine: ENGINE });
        for (let flows = 0; flows < FLOWS_PER_CLOUD; flows++) {
          const point = Date.now() < until ? rest.shift() : undefined;
          if (!point) break;
          const one = await tryPoint(cloud, point, files, expected.get(point.medium) as Ended);
          tried.push(one);
          const word = one.faults.length > 0 ? 'BROKEN' : one.reached ? 'survived' : 'not reached';
          say(
            `${FROM - 1 + tried.length}/${chosen.length} ${word} in ${one.steps} steps: ${pointName(point)} ${one.faults.join('; ')}`,
          );
          // The next flow is not to be judged by what this one has left behind.
          if (one.faults.length > 0) break;
        }
      }
    }),
  );
  await rm(folder, { recursive: true, force: true });
  console.log(summary(tried));
  if (rest.length > 0) say(`go on with DROPREEL_FAULTS_FROM=${chosen.length - rest.length + 1}`);
  expect(tried.filter(({ faults }) => faults.length > 0)).toEqual([]);
});
