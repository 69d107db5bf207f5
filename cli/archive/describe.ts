import { savedPercent } from '../../core/archive/compare.ts';
import type { ArchiveStats } from '../../core/archive/stats.ts';
import { nextWindow } from '../../core/archive/window.ts';
import type { ArchivePolicy, ArchiveRefusal } from '../../core/contracts/archive.ts';
import type { Outcome } from './archive-recording.ts';
import type { Settings } from './settings.ts';
import type { Status } from './status.ts';

/** 10^9 bytes, as disks are sold and as the policy counts. */
export function gigabytes(bytes: number): string {
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

/** In the form of the recorder's own statistics that it replaces. */
export function statsText(stats: ArchiveStats, settings: Settings, status: Status | undefined, now: Date): string {
  const { policy, enabled } = settings;
  const saved = stats.originalBytes - stats.archivedBytes;
  const next = enabled ? clockTime(new Date(nextWindow(now.getTime(), policy)), policy.timeZone) : 'None';
  const refused = Object.entries(stats.refused).map(([reason, count]) => `${reason} ${count}`);
  return [
    '=== Transcoding Statistics ===',
    '',
    `Files transcoded: ${stats.archived}`,
    `Space saved: ${gigabytes(saved)} (${stats.savedPercent.toFixed(1)}% reduction; target ${policy.targetSavingsPercent}%)`,
    `Total original: ${gigabytes(stats.originalBytes)}`,
    `Total transcoded: ${gigabytes(stats.archivedBytes)}`,
    `Originals still kept: ${gigabytes(stats.keptBytes)}`,
    `Files kept as they are: ${refused.join(', ') || 'None'}`,
    '',
    `Last transcoded: ${stats.last === undefined ? 'Never' : clockTime(new Date(stats.last), policy.timeZone)}`,
    `Status: ${activity(settings, status)}`,
    `Current file: ${currentFiles(status)}`,
    '',
    `Next scheduled run: ${next}`,
  ].join('\n');
}

export function policyLine(policy: ArchivePolicy): string {
  const { codec, quality, preset, minAgeDays, window, timeZone, keepOriginalDays } = policy;
  const days = (count: number) => (count === 1 ? '1 day' : `${count} days`);
  return `${codec}, CRF ${quality}, ${preset}; after ${days(minAgeDays)}; ${window} ${timeZone}; originals kept for ${days(keepOriginalDays)}`;
}
