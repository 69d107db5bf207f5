import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { SweepEnv } from '../../core/contracts/env.ts';
import { SweepInput } from '../../core/contracts/events.ts';
import { archiveWorkers } from '../../engines/batch/archive.ts';
import { connectEngines } from '../../engines/registry.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { count, lambda, logger } from '../shared/observability.ts';
import { archiveOriginals } from './archive/originals.ts';
import { startRetranscodes } from './retranscodes.ts';
import type { SweepReport } from './services.ts';
import { sweep } from './sweep.ts';
import { timeOfRun } from './time-of-run.ts';

const env = environment(SweepEnv);
const services = {
  table: tableNamed(env.TABLE_NAME),
  engines: connectEngines(process.env),
  s3: new S3Client({}),
  sqs: new SQSClient({}),
  mediaBucket: env.MEDIA_BUCKET,
  maxUsdPerMonth: env.MAX_USD_PER_MONTH,
  uploadsBucket: env.UPLOADS_BUCKET,
  ingestQueueUrl: env.INGEST_QUEUE_URL,
  publishQueueUrl: env.PUBLISH_QUEUE_URL,
  webhookQueueUrl: env.WEBHOOK_QUEUE_URL,
  maxRetranscodes: env.MAX_RETRANSCODES,
  archive: archiveWorkers(process.env),
};

const ONLY = { retranscodes: startRetranscodes, archive: archiveOriginals } as const;

/** Work in progress ends within this time, and the run's report is written in it too. */
const RESERVE_MS = 20_000;

export const handler = lambda(async (event: unknown, context: Context): Promise<SweepReport | undefined> => {
  const { time, only } = SweepInput.catch({}).parse(event);
  const now = timeOfRun(time, Date.now());
  const remainingMs = () => context.getRemainingTimeInMillis() - RESERVE_MS;
  if (only) return doOnly(only, services, now, remainingMs);
  count('swept');
  return sweep(services, now, remainingMs);
});

/** A place under a cap has become free: it is filled at once instead of by the next run. */
async function doOnly(
  part: NonNullable<SweepInput['only']>,
  all: typeof services,
  now: string,
  remainingMs: () => number,
): Promise<undefined> {
  const report = (what: string, times = 1) => logger.info('between two runs', { [what]: times });
  await ONLY[part]({ ...all, now, remainingMs, timeIsUp: () => remainingMs() <= 0, report });
}
