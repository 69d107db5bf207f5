import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import * as env from '../../../core/contracts/env.ts';

const FUNCTIONS: [name: string, schema: z.ZodObject][] = [
  ['ingest-upload', env.IngestUploadEnv],
  ['track-job', env.TrackJobEnv],
  ['publish-output', env.PublishOutputEnv],
  ['announce-change', env.AnnounceChangeEnv],
  ['sweep', env.SweepEnv],
  ['api', env.ApiEnv],
  ['fan-out-change', env.FanOutChangeEnv],
  ['deliver-webhook', env.DeliverWebhookEnv],
  ['serve-pages', env.ServePagesEnv],
];

/** The text of a folder's sources. */
async function sourceOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true });
  const files = entries.filter((name) => name.endsWith('.ts')).map((name) => readFile(join(folder, name), 'utf8'));
  return (await Promise.all(files)).join('\n');
}

it.each(
  FUNCTIONS,
)('the sources of %s, or those that functions share, name each variable of its own contract', async (name, schema) => {
  const source = (await Promise.all([`functions/${name}`, 'functions/shared'].map(sourceOf))).join('\n');
  const unread = Object.keys(schema.shape).filter((key) => !new RegExp(`\\b${key}\\b`).test(source));
  expect(unread).toEqual([]);
});
