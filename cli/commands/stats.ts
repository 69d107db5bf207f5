import type { Command } from 'commander';
import type { Stats } from '../../core/contracts/http/system.ts';
import { contextOf } from '../context.ts';
import { fields, table } from '../table.ts';
import { bytes } from '../units.ts';

export function addStats(program: Command): void {
  program
    .command('stats')
    .description('counts, minutes, bytes and costs')
    .option('--creator <id>', 'for operators: of one creator')
    .action(async ({ creator: creatorId }: { creator?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const stats = await api.call('getStats', { query: { creatorId } });
      out.result(stats, () => describe(stats));
    });
}

function describe(stats: Stats): string {
  const states = Object.entries(stats.media).filter(([, count]) => count > 0);
  const lines = fields([
    ['of', stats.creatorId ?? 'all creators'],
    ['media', states.map(([state, count]) => `${count} ${state}`).join(', ') || 'none'],
    ['in', `${stats.minutesIn.toFixed(1)} min, ${bytes(stats.bytesIn)}`],
    ['out', `${stats.minutesOut.toFixed(1)} min, ${bytes(stats.bytesOut)}`],
  ]);
  const costs = stats.cost.map(({ month, engine, usd, vcpuSeconds }) => [
    month,
    engine,
    usd.toFixed(4),
    (vcpuSeconds / 3600).toFixed(2),
  ]);
  const estimates = stats.estimates.map(({ month, engine, jobs, expectedSeconds, seconds, expectedUsd, usd }) => [
    ...[month, engine, String(jobs)],
    ...[`${(expectedSeconds / 60).toFixed(1)}`, `${(seconds / 60).toFixed(1)}`, percent(seconds, expectedSeconds)],
    ...[expectedUsd.toFixed(4), usd.toFixed(4), percent(usd, expectedUsd)],
  ]);
  const expected = ['MONTH', 'ENGINE', 'JOBS', 'EXPECTED MIN', 'MIN', '', 'EXPECTED USD', 'USD', ''];
  return [
    lines,
    ...(costs.length > 0 ? [table(['MONTH', 'ENGINE', 'USD', 'VCPU HOURS'], costs)] : []),
    ...(estimates.length > 0 ? [table(expected, estimates)] : []),
  ].join('\n\n');
}

/** By how much it was more than expected: `+12 %`. */
function percent(actual: number, expected: number): string {
  if (expected === 0) return '';
  const difference = Math.round(100 * (actual / expected - 1));
  return `${difference < 0 ? '−' : '+'}${Math.abs(difference)} %`;
}
