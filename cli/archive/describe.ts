import { savedPercent } from '../../core/archive/compare.ts';
import type { ArchiveStats } from '../../core/archive/stats.ts';
import { nextWindow } from '../../core/archive/window.ts';
import type { ArchivePolicy, ArchiveRefusal } from '../../core/contracts/archive.ts';
import type { Outcome } from './archive-recording.ts';
import type { Settings } from './settings.ts';
import type { Status } from './status.ts';

/** 10^9 bytes, as disks are sold and as the policy counts. */
export function gigabytes(bytes: number): string {
  if (bytes < 1e6) return bytes === 0 ? '0 MB' : `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** `2026-11-29 04:23:15`, as clocks of the zone show it. */
export function clockTime(at: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return format.format(at);
}

export function refusalsLine(refusals: readonly ArchiveRefusal[]): string {
  return refusals.map(({ reason, detail }) => `${reason}: ${detail}`).join(' ');
}

export function outcomeLine(outcome: Outcome): string {
  if (outcome.state === 'refused') return `${outcome.file}  kept  ${refusalsLine(outcome.refusals)}`;
  const { original, archived, quality, encoder } = outcome.record;
  const saved = savedPercent(original.bytes, archived.bytes).toFixed(1);
  const sizes = `${gigabytes(original.bytes)} → ${gigabytes(archived.bytes)}, ${saved} % saved`;
  return `${outcome.file}  archived  ${sizes}, SSIM ${quality.mean.toFixed(4)}, ${encoder}`;
}

/** What is being done, with the reason where nothing is: `Running (paused - outside the window 02:00-06:00 (UTC))`. */
export function activity({ enabled }: Settings, status: Status | undefined): string {
  const running = status !== undefined && isAlive(status.pid);
  if (!running) return enabled ? 'Not running' : 'Not running (disabled)';
  const last = status.pauses.at(-1);
  const reason = last && last.to === undefined ? last.reason : status.waits;
  return reason === undefined ? 'Running' : `Running (paused - ${reason})`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function currentFiles(status: Status | undefined): string {
  const files = status !== undefined && isAlive(status.pid) ? status.current : [];
  return files.map(({ file, phase, percent }) => `${file} (${phase}, ${percent} %)`).join(', ') || 'None';
}

export function statsText(stats: ArchiveStats, settings: Settings, status: Status | undefined, now: Date): string {
  const { policy, enabled } = settings;
  return statisticsText(stats, policy, {
    status: activity(settings, status),
    current: currentFiles(status),
    next: enabled ? new Date(nextWindow(now.getTime(), policy)).toISOString() : null,
  });
}

interface Statistics extends Omit<ArchiveStats, 'last'> {
  /** ISO 8601. */
  last?: string | null | undefined;
  /** Of a collection: what is in a cheaper storage class. */
  moved?: number;
  movedBytes?: number;
}

/** In the form of the recorder's own statistics that it replaces. `next` is ISO 8601. */
export function statisticsText(
  stats: Statistics,
  { targetSavingsPercent, timeZone }: Pick<ArchivePolicy, 'targetSavingsPercent' | 'timeZone'>,
  { status, current, next }: { status: string; current: string; next: string | null },
): string {
  const at = (time: string) => clockTime(new Date(time), timeZone);
  const saved = stats.originalBytes - stats.archivedBytes;
  const refused = Object.entries(stats.refused).map(([reason, count]) => `${reason} ${count}`);
  return [
    '=== Transcoding Statistics ===',
    '',
    `Files transcoded: ${stats.archived}`,
    `Space saved: ${gigabytes(saved)} (${stats.savedPercent.toFixed(1)}% reduction; target ${targetSavingsPercent}%)`,
    `Total original: ${gigabytes(stats.originalBytes)}`,
    `Total transcoded: ${gigabytes(stats.archivedBytes)}`,
    `Originals still kept: ${gigabytes(stats.keptBytes)}`,
    ...(stats.moved ? [`In another storage class: ${stats.moved} (${gigabytes(stats.movedBytes ?? 0)})`] : []),
    `Files kept as they are: ${refused.join(', ') || 'None'}`,
    '',
    `Last transcoded: ${stats.last ? at(stats.last) : 'Never'}`,
    `Status: ${status}`,
    `Current file: ${current}`,
    '',
    `Next scheduled run: ${next === null ? 'None' : at(next)}`,
  ].join('\n');
}

type Shown = Pick<
  ArchivePolicy,
  'codec' | 'quality' | 'preset' | 'minAgeDays' | 'window' | 'timeZone' | 'keepOriginalDays'
>;

const days = (count: number) => (count === 1 ? '1 day' : `${count} days`);

export function policyLine(policy: Shown): string {
  const { codec, quality, preset, keepOriginalDays } = policy;
  return `${codec}, CRF ${quality}, ${preset}; ${timesLine(policy)}; originals kept for ${days(keepOriginalDays)}`;
}

export function timesLine({ minAgeDays, window, timeZone }: Pick<Shown, 'minAgeDays' | 'window' | 'timeZone'>): string {
  return `after ${days(minAgeDays)}; ${window} ${timeZone}`;
}
