import type { Command } from 'commander';
import { Health, Stats } from '../../core/contracts/api.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { bytes, fields, table } from '../output.ts';

export function addSystem(program: Command): void {
  program
    .command('stats')
    .description('counts, minutes, bytes and costs')
    .option('--creator <id>', 'for operators: of one creator')
    .action(async (options: { creator?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const stats = await api.call('GET', '/stats', Stats, { query: { creatorId: options.creator } });
      out.result(stats, () => describeStats(stats));
    });

  program
    .command('health')
    .description('whether the pipeline works; exit code 1 when it does not')
    .action(async (_options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const health = await api.call('GET', '/health', Health);
      out.result(health, () => describeHealth(health));
      if (health.status === 'failing') throw new CliError(EXIT.failed, 'The pipeline is failing.');
    });
}

function describeStats(stats: Stats): string {
  const states = Object.entries(stats.media).filter(([, count]) => count > 0);
  const lines = fields([
    ['of', stats.creatorId ?? 'all creators'],
    ['media', states.map(([state, count]) => `${count} ${state}`).join(', ') || 'none'],
    ['in', `${stats.minutesIn.toFixed(1)} min, ${bytes(stats.bytesIn)}`],
    ['out', `${stats.minutesOut.toFixed(1)} min, ${bytes(stats.bytesOut)}`],
    ['saved by archive', bytes(stats.bytesSavedByArchive)],
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

function describeHealth(health: Health): string {
  const { jobs, last24Hours, lastSweep } = health;
  const queues = health.queues.map((queue) => [
    queue.name,
    String(queue.waiting),
    String(queue.inFlight),
    String(queue.delayed),
    String(queue.deadLetters),
  ]);
  return [
    `${health.status}${health.problems.length > 0 ? `\n${health.problems.map((line) => `  ${line}`).join('\n')}` : ''}`,
    '',
    fields([
      ['last 24 hours', `${last24Hours.ready} ready, ${last24Hours.failed} failed`],
      ['unfinished jobs', `${jobs.unfinished}, ${jobs.stuck} stuck ${jobs.stuckIds.join(' ')}`],
      ['longest silence', jobs.longestSilenceSeconds === null ? undefined : `${jobs.longestSilenceSeconds} s`],
      ['last sweep', lastSweep ? `${lastSweep.ageSeconds} s ago` : 'none yet'],
    ]),
    '',
    table(['QUEUE', 'WAITING', 'IN FLIGHT', 'DELAYED', 'DEAD'], queues),
  ].join('\n');
}
