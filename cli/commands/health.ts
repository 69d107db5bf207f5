import type { Command } from 'commander';
import type { Health } from '../../core/contracts/http/system.ts';
import { printableLine } from '../../core/contracts/text.ts';
import { contextOf } from '../context.ts';
import { type Disk, diskOf } from '../disk.ts';
import { CliError, EXIT } from '../exit.ts';
import { fields, table } from '../table.ts';
import { bytes } from '../units.ts';

export function addHealth(program: Command): void {
  program
    .command('health')
    .description('whether the pipeline works; exit code 1 when it does not')
    .action(async (_options: object, command: Command) => {
      const { api, out, profile } = await contextOf(command);
      const health = await api.call('getHealth');
      const disk = profile.stateDir === undefined ? undefined : await diskOf(profile.stateDir);
      out.result({ ...health, ...(disk && { disk }) }, () => describe(health, disk));
      if (disk?.problem) throw new CliError(EXIT.failed, disk.problem);
      if (health.status === 'failing') throw new CliError(EXIT.failed, 'The pipeline is failing.');
    });
}

function describe(health: Health, disk: Disk | undefined): string {
  const { status, problems, queues, jobs, last24Hours, lastSweep } = health;
  return [
    [status, ...problems.map((line) => `  ${printableLine(line)}`)].join('\n'),
    fields([
      ['last 24 hours', `${last24Hours.ready} ready, ${last24Hours.failed} failed, ${last24Hours.refused} refused`],
      ['unfinished jobs', [`${jobs.unfinished}, ${jobs.stuck} stuck`, ...jobs.stuckIds].join(' ')],
      ['longest silence', jobs.longestSilenceSeconds === null ? undefined : `${jobs.longestSilenceSeconds} s`],
      ['last sweep', lastSweep ? `${lastSweep.ageSeconds} s ago` : 'none yet'],
      ['disk', disk && `${bytes(disk.freeBytes)} free`],
    ]),
    table(
      ['QUEUE', 'WAITING', 'IN FLIGHT', 'DELAYED', 'DEAD', 'OLDEST'],
      queues.map(({ name, oldestSeconds, ...counts }) => [
        name,
        ...[counts.waiting, counts.inFlight, counts.delayed, counts.deadLetters].map(String),
        oldestSeconds === null ? '' : `${Math.round(oldestSeconds)} s`,
      ]),
    ),
  ].join('\n\n');
}
