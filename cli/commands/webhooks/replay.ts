import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { given, time } from '../../options.ts';

export function addWebhooksReplay(webhooks: Command): void {
  webhooks
    .command('replay')
    .description('send one delivery again, or all that failed')
    .argument('<id>')
    .argument('[delivery]')
    .option('--since <time>', 'only changes since then, ISO 8601 or a date', time)
    .action(async (id: string, deliveryId: string | undefined, { since }: { since?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      if (deliveryId !== undefined) {
        const delivery = await api.call('replayDelivery', { id, deliveryId });
        return out.result(delivery, () => `${delivery.id}  ${delivery.status}`);
      }
      let replayed = 0;
      let more = true;
      while (more) {
        const receipt = await api.call('replayFailed', { id, body: given({ since }) });
        replayed += receipt.replayed;
        more = receipt.more && receipt.replayed > 0;
      }
      out.result({ replayed }, () =>
        replayed > 0
          ? `${replayed} sent again`
          : '0 sent again: none has failed. Those that are pending are retried without it.',
      );
    });
}
