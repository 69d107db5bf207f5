import type { Command } from 'commander';
import { addWebhooksAdd } from './add.ts';
import { addWebhooksEdit } from './edit.ts';
import { addWebhooksLog } from './log.ts';
import { addWebhooksLs } from './ls.ts';
import { addWebhooksReplay } from './replay.ts';
import { addWebhooksRm } from './rm.ts';
import { addWebhooksRotate } from './rotate.ts';
import { addWebhooksVerify } from './verify.ts';

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('endpoints that are notified of changes');
  for (const add of [
    addWebhooksLs,
    addWebhooksAdd,
    addWebhooksVerify,
    addWebhooksEdit,
    addWebhooksRm,
    addWebhooksRotate,
    addWebhooksLog,
    addWebhooksReplay,
  ]) {
    add(webhooks);
  }
}
