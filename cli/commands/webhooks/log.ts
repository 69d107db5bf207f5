import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { wholeNumber } from '../../options.ts';
import { describeDeliveries } from './describe.ts';

export function addWebhooksLog(webhooks: Command): void {
  webhooks
    .command('log')
    .description('what was delivered, newest first')
    .argument('<id>')
    .option('-n, --limit <n>', 'how many, at most 100', wholeNumber(1, 100), 20)
    .action(async (id: string, { limit }: { limit: number }, command: Command) => {
      const { api, out } = await contextOf(command);
      const { items } = await api.call('listDeliveries', { id, query: { limit } });
      out.result(items, () => describeDeliveries(items));
    });
}
