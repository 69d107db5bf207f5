import type { Client } from '../../client/client.ts';
import type { ArchivePlanView, ArchiveView } from '../../core/contracts/http/archive.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { fields, table } from '../table.ts';
import { clockTime, gigabytes, policyLine, statisticsText } from './describe.ts';

/** The archive of a collection, for people. */

function policyText({ policy, enabled }: ArchiveView): string {
  return `${enabled ? '' : 'off: '}${policy.method}, ${policyLine(policy)}`;
}

function activity({ enabled, waits }: ArchiveView): string {
  if (!enabled) return 'off';
  return waits === null ? 'on' : `paused - ${waits}`;
}

export function archiveText(view: ArchiveView): string {
  const { refused } = view.stats;
  const at = (time: string | null) => (time === null ? 'none' : clockTime(new Date(time), view.policy.timeZone));
  return [
    fields([
      ['collection', view.collectionId],
      ['policy', policyText(view)],
      ['status', activity(view)],
      ['current', view.current.map(({ mediaId, state }) => `${mediaId} (${state})`).join(', ') || 'none'],
      ['next look', at(view.nextLookAt)],
    ]),
    ...Object.entries(refused).map(([reason, count]) => `kept     ${count} ${reason}`),
  ].join('\n');
}

export function archiveStatsText(view: ArchiveView): string {
  return statisticsText(view.stats, view.policy, {
    status: activity(view),
    current: view.current.map(({ mediaId }) => mediaId).join(', ') || 'None',
    next: view.nextLookAt,
  });
}

/** All pages of a plan. */
export async function wholePlan(api: Client, id: string): Promise<Omit<ArchivePlanView, 'next'>> {
  let plan: Omit<ArchivePlanView, 'next'> | undefined;
  let cursor: string | undefined;
  do {
    const { next, ...page } = await api.call('planArchive', { id, ...(cursor !== undefined && { cursor }) });
    plan = plan ? added(plan, page) : page;
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return plan;
}

type Plan = Omit<ArchivePlanView, 'next'>;

function added(a: Plan, b: Plan): Plan {
  const ways = a.ways.map((one) => {
    const other = b.ways.find(({ way }) => way === one.way);
    if (!other) return one;
    return {
      ...{
        way: one.way,
        files: one.files + other.files,
        chosen: one.chosen + other.chosen,
        cost: one.cost + other.cost,
      },
      ...{ savedBytes: one.savedBytes + other.savedBytes, savedPerMonth: one.savedPerMonth + other.savedPerMonth },
    };
  });
  return { files: a.files + b.files, bytes: a.bytes + b.bytes, savedPart: a.savedPart, ways };
}

export function planText({ files, bytes, savedPart, ways }: Plan): string {
  const months = ({ cost, savedPerMonth }: Plan['ways'][number]) =>
    savedPerMonth > 0 ? (cost / savedPerMonth).toFixed(1) : 'never';
  const row = (way: Plan['ways'][number]) => [
    ...[way.way, String(way.files), String(way.chosen), gigabytes(way.savedBytes)],
    ...[way.savedPerMonth.toFixed(2), way.cost.toFixed(2), months(way)],
  ];
  return [
    `${files} originals, ${gigabytes(bytes)}; a re-encode is expected to save ${(100 * savedPart).toFixed(0)} %`,
    table(['WAY', 'FILES', 'CHOSEN', 'SAVED', 'USD SAVED A MONTH', 'COST, USD', 'MONTHS TO PAY BACK'], ways.map(row)),
  ].join('\n');
}

export function mediaText({ id, archive, source }: MediaView): string {
  const why = archive?.reason === undefined ? '' : `: ${archive.reason}`;
  return `${id}  ${source.fileName}  ${archive?.state ?? 'not in the archive'}${why}`;
}
