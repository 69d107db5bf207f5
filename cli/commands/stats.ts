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
  if (stats.cost.length === 0) return lines;
  const costs = stats.cost.map(({ month, engine, usd, vcpuSeconds }) => [
    month,
    engine,
    usd.toFixed(4),
    (vcpuSeconds / 3600).toFixed(2),
  ]);
  return `${lines}\n\n${table(['MONTH', 'ENGINE', 'USD', 'VCPU HOURS'], costs)}`;
}
