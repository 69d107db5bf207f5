import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { wholeNumber } from '../../options.ts';
import { table } from '../../table.ts';

export function addWebhooksLog(webhooks: Command): void {
  webhooks
    .command('log')
    .description('what was delivered, newest first')
    .argument('<id>')
    .option('-n, --limit <n>', 'how many, at most 100', wholeNumber(1, 100), 20)
    .action(async (id: string, { limit }: { limit: number }, command: Command) => {
      const { api, out } = await contextOf(command);
      const { items } = await api.call('listDeliveries', { id, query: { limit } });
      out.result(items, () =>
        table(
          ['DELIVERY', 'EVENT', 'STATUS', 'TRIES', 'LAST', 'MS'],
          items.map((item) => {
            const last = item.log.at(-1);
            const answer = last ? String(last.status ?? last.error ?? '') : '';
            return [item.id, item.event, item.status, String(item.attempts), answer, String(last?.latencyMs ?? '')];
          }),
        ),
      );
    });
}
