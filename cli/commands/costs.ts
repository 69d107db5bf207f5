import { type Command, InvalidArgumentError } from 'commander';
import type { Costs } from '../../core/contracts/http/system.ts';
import { contextOf } from '../context.ts';
import { table } from '../table.ts';

export function addCosts(program: Command): void {
  program
    .command('costs')
    .description('what encodes cost by day, engine and collection, against what was expected')
    .option('--days <n>', 'so many days up to today (UTC), 1 to 92', countOfDays, 14)
    .option('--creator <id>', 'for operators: of one creator')
    .action(async ({ days, creator: creatorId }: { days: number; creator?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const costs = await api.call('getCosts', { query: { days, creatorId } });
      out.result(costs, () => describe(costs));
    });
}

function countOfDays(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 92) return value;
  throw new InvalidArgumentError('takes a whole number from 1 to 92.');
}

function describe({ days, collections, more }: Costs): string {
  if (days.length === 0) return 'Nothing was paid for.';
  const amounts = ({ jobs, usd, expectedUsd, estimatedUsd }: Omit<Costs['days'][number], 'day'>) => [
    ...[String(jobs), usd.toFixed(4), estimatedUsd.toFixed(4), expectedUsd.toFixed(4)],
  ];
  const heads = ['JOBS', 'USD', 'WITH ESTIMATE', 'ESTIMATE'];
  return [
    table(
      ['DAY', 'ENGINE', ...heads],
      days.map((day) => [day.day, day.engine, ...amounts(day)]),
    ),
    table(
      ['CREATOR', 'COLLECTION', 'ENGINE', ...heads],
      collections.map((of) => [of.creatorId, of.collectionId, of.engine, ...amounts(of)]),
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
  ].join('\n\n');
}
