import type { FaultCloud, Flow, Order } from './fault-cloud.ts';
import type { makeMedia } from './media.ts';
import { KINDS, type Kind, type Point, pointName } from './points.ts';
import type { Ended } from './state.ts';

type Files = Awaited<ReturnType<typeof makeMedia>>;

export interface Tried {
  point: Point;
  /** Empty when all is right. */
  faults: string[];
  /** False: this flow made fewer calls of the kind than the recorded one. */
  reached: boolean;
  steps: number;
  jobIds: string[];
}

/** What an undisturbed flow ends as. @throws Error when that itself is not right */
export async function undisturbed(
  cloud: FaultCloud,
  { engine, medium }: Pick<Point, 'engine' | 'medium'>,
  files: Files,
): Promise<Flow> {
  const flow = await cloud.run({ engine, medium }, files[medium]);
  const expected = medium === 'broken' ? 'failed' : 'ready';
  const faults = flow.ended.state === expected ? flow.faults : [`${medium} is ${flow.ended.state}`, ...flow.faults];
  if (faults.length > 0 || flow.steps > 0)
    throw new Error(`undisturbed, and yet: ${faults.join('; ') || 'it had to wait'}`);
  return flow;
}

export async function tryPoint(
  cloud: FaultCloud,
  point: Point,
  files: Files,
  expected: Ended,
  order?: Order,
): Promise<Tried> {
  const flow = await cloud.run(point, files[point.medium], point, order);
  return {
    point,
    faults: [...flow.faults, ...differences(expected, flow.ended)],
    reached: flow.fired,
    steps: flow.steps,
    jobIds: flow.jobIds,
  };
}

function differences(expected: Ended, ended: Ended): string[] {
  const found: string[] = [];
  for (const name of ['state', 'kind', 'error'] as const) {
    if (ended[name] !== expected[name]) found.push(`${name} is ${ended[name]} instead of ${expected[name]}`);
  }
  if (ended.jobs.join() !== expected.jobs.join())
    found.push(`jobs are ${ended.jobs.join()} instead of ${expected.jobs.join()}`);
  for (const key of new Set([...Object.keys(expected.objects), ...Object.keys(ended.objects)])) {
    const [is, should] = [ended.objects[key], expected.objects[key]];
    if (is !== should) found.push(`${key} is ${is ?? 'missing'} instead of ${should ?? 'not there'}`);
  }
  return found;
}

/** Markdown: survived of tried, per service and kind. */
export function summary(tried: readonly Tried[]): string {
  const reached = tried.filter((one) => one.reached);
  const cell = (service: string, kind?: Kind) => {
    const of = reached.filter(
      ({ point }) => (service === 'all' || point.site.service === service) && (!kind || point.kind === kind),
    );
    return of.length === 0 ? '–' : `${of.filter(({ faults }) => faults.length === 0).length} of ${of.length}`;
  };
  const services = [...new Set(tried.map(({ point }) => point.site.service))].sort();
  return [
    `| service | ${KINDS.join(' | ')} | all |`,
    `|---|${KINDS.map(() => '---|').join('')}---|`,
    ...[...services, 'all'].map(
      (name) => `| ${name} | ${KINDS.map((kind) => cell(name, kind)).join(' | ')} | ${cell(name)} |`,
    ),
    '',
    `Points tried: ${reached.length}; not reached, for a flow made fewer calls: ${tried.length - reached.length}.`,
    ...tried
      .filter(({ faults }) => faults.length > 0)
      .map(({ point, faults }) => `- ${pointName(point)}: ${faults.join('; ')}`),
  ].join('\n');
}
