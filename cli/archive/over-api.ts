import type { ArchivePlan } from '../../client/archive-plan.ts';
import { monthsToPayBack } from '../../core/archive/money.ts';
import type { ArchiveView } from '../../core/contracts/http/archive.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { fields, table } from '../table.ts';
import { clockTime, gigabytes, policyLine, statisticsText, timesLine } from './describe.ts';

/** The archive of a collection, for people. */

function policyText({ policy, enabled }: ArchiveView): string {
  const { method, storageClass } = policy;
  const how = {
    ...{ reencode: `reencode, ${policyLine(policy)}`, both: `both (${storageClass}), ${policyLine(policy)}` },
    'storage-class': `storage-class (${storageClass}); ${timesLine(policy)}`,
    auto: `auto (${storageClass}), ${policyLine(policy)}`,
  };
  return `${enabled ? '' : 'off: '}${how[method]}`;
}

function activity({ enabled, waits }: ArchiveView): string {
  if (!enabled) return 'off';
  return waits === null ? 'on' : `paused - ${waits}`;
}

export function archiveText(view: ArchiveView): string {
  const { refused, moved, movedBytes } = view.stats;
  const at = (time: string | null) => (time === null ? 'none' : clockTime(new Date(time), view.policy.timeZone));
  return [
    fields([
      ['collection', view.collectionId],
      ['policy', policyText(view)],
      ['status', activity(view)],
      ['current', view.current.map(({ mediaId, state }) => `${mediaId} (${state})`).join(', ') || 'none'],
      ['next look', at(view.nextLookAt)],
    ]),
    ...(moved > 0 ? [`moved       ${moved} to another class, ${gigabytes(movedBytes)}`] : []),
    ...Object.entries(refused).map(([reason, count]) => `kept        ${count} ${reason}`),
  ].join('\n');
}

export function archiveStatsText(view: ArchiveView): string {
  return statisticsText(view.stats, view.policy, {
    status: activity(view),
    current: view.current.map(({ mediaId }) => mediaId).join(', ') || 'None',
    next: view.nextLookAt,
  });
}

function months(sum: ArchivePlan['total']): string {
  const paysBackAfter = monthsToPayBack(sum);
  if (paysBackAfter === null) return 'never';
  return paysBackAfter < 0.05 ? 'less than 0.1' : paysBackAfter.toFixed(1);
}

/** Of small sums as well: an object costs hundredths of a cent. */
function usd(amount: number): string {
  return amount === 0 || amount >= 1 ? amount.toFixed(2) : amount.toPrecision(2);
}

export function planText({ files, bytes, savedPart, ways, total }: ArchivePlan): string {
  const row = (way: ArchivePlan['ways'][number]) => [
    ...[way.way, String(way.files), String(way.chosen), gigabytes(way.savedBytes)],
    ...[usd(way.savedPerMonth), usd(way.cost), months(way)],
  ];
  if (files === 0) return 'No originals: none is old enough, or all of them are seen to.';
  return [
    `${files} originals, ${gigabytes(bytes)}; a re-encode is expected to save ${(100 * savedPart).toFixed(0)} %`,
    table(['WAY', 'FILES', 'CHOSEN', 'SAVED', 'USD SAVED A MONTH', 'COST, USD', 'MONTHS TO PAY BACK'], ways.map(row)),
    total.files === 0
      ? 'The policy does nothing with them.'
      : `The policy: ${total.files} originals, ${gigabytes(total.savedBytes)} and ${usd(total.savedPerMonth)} USD a month saved for ${usd(total.cost)} USD; pays back after ${months(total)} months.`,
  ].join('\n');
}

export function mediaText({ id, archive, source }: MediaView): string {
  return `${id}  ${source.fileName}  ${archive ? originalText(archive) : 'not in the archive'}`;
}

/** What the archive did with an original, or does. */
export function originalText(archive: NonNullable<MediaView['archive']>): string {
  const { state, storageClass, reason, detail, deleteAfter } = archive;
  const words = {
    ...{ due: 'is due for the archive', encoding: 'a copy is being made', replacing: 'a copy takes its place' },
    ...{ archived: 'archived', purging: 'original is being deleted', purged: 'archived, original deleted' },
    ...{ refused: 'original kept', moving: `moving to ${storageClass}`, moved: `moved to ${storageClass}` },
  };
  const until = deleteAfter === undefined ? '' : `, original kept until ${deleteAfter}`;
  return [`${words[state]}${until}`, reason, detail].filter((part) => part !== undefined).join(': ');
}
