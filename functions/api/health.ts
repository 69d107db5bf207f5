import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { queryAll } from '../../aws/pages.ts';
import { getRow } from '../../aws/table.ts';
import { countTodo, queryTodo } from '../../aws/table-queries.ts';
import { type Findings, judge, OVERDUE_MS } from '../../core/api/health.ts';
import type { End } from '../../core/api/stats.ts';
import { ErrorCode } from '../../core/contracts/errors.ts';
import { jobIdFor } from '../../core/contracts/ids.ts';
import { BadKeyRow } from '../../core/contracts/table/health.ts';
import { apiKeys, DUE_WORK, parseJobKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { SweepRow } from '../../core/contracts/table/sweep.ts';
import { STALE_AFTER_MS } from '../../core/contracts/timing.ts';
import { plus } from '../../core/time.ts';
import type { ApiServices, Route } from './call.ts';

/** Unfinished jobs are counted up to about this many, stuck ones up to 100. */
const ENOUGH = 10_000;
const MAX_STUCK = 100;
const SHOWN_STUCK = 10;

const Hour = z.object({
  ready: z.number().default(0),
  failed: z.number().default(0),
  refused: z.number().default(0),
});
const LatestFailure = z.object({ mediaId: z.string(), code: ErrorCode, message: z.string(), at: z.iso.datetime() });

/** Cheap at any size: attributes of queues, two pages of the sparse index of unfinished work, and counters by the hour. */
export const getHealth: Route<'getHealth'> = async ({ now }, services) => {
  const { table } = services;
  const yesterday = plus(now, { days: -1 });
  const [queues, jobs, hours, latestFailure, sweep, badKey] = await Promise.all([
    queuesOf(services, now),
    jobsOf(services, now),
    hoursSince(services, yesterday),
    getRow(table, apiKeys.latestFailure, LatestFailure),
    getRow(table, rowKeys.sweep(), SweepRow),
    getRow(table, rowKeys.latestBadKey(), BadKeyRow),
  ]);
  const sum = (name: End) => hours.reduce((total, hour) => total + hour[name], 0);
  const findings: Findings = {
    checkedAt: now,
    queues,
    jobs,
    last24Hours: {
      ...{ ready: sum('ready'), failed: sum('failed'), refused: sum('refused'), latestFailure },
      latestBadKey: badKey && badKey.at > yesterday ? badKey : null,
    },
    lastSweep: sweep && { at: sweep.lastRunAt, ageSeconds: secondsBetween(sweep.lastRunAt, now) },
    sweeps: sweep?.runs ?? [],
  };
  return { body: judge(findings) };
};

async function queuesOf({ sqs, cloudwatch, env }: ApiServices, now: string): Promise<Findings['queues']> {
  const urls = {
    ingest: env.INGEST_QUEUE_URL,
    track: env.TRACK_QUEUE_URL,
    publish: env.PUBLISH_QUEUE_URL,
    changes: env.CHANGE_QUEUE_URL,
    webhooks: env.WEBHOOK_QUEUE_URL,
  };
  const looked = await Promise.all(
    Object.entries(urls).map(async ([name, url]) => {
      const { redrive, ...depth } = await attributesOf(sqs, url);
      // A queue names its dead-letter queue by ARN; the URLs of the two differ in the last part only.
      const deadLetters = redrive && (await attributesOf(sqs, url.replace(/[^/]+$/, redrive.split(':').at(-1) ?? '')));
      return { name, ...depth, deadLetters: deadLetters ? deadLetters.waiting : 0 };
    }),
  );
  const filled = looked.filter(({ waiting, inFlight, delayed }) => waiting + inFlight + delayed > 0);
  const ages = await agesOf(
    cloudwatch,
    filled.map(({ name }) => urls[name as keyof typeof urls].split('/').at(-1) ?? ''),
    now,
  );
  return looked.map((queue) => ({ ...queue, oldestSeconds: ages[filled.indexOf(queue)] ?? null }));
}

/** SQS measures each minute, and tells CloudWatch late: of so many minutes the last value counts. */
const MEASURED_MINUTES = 10;

/**
 * The ages of the oldest messages of these queues, in seconds: SQS itself does not tell them. Each that is asked for costs $0.00001.
 * https://aws.amazon.com/cloudwatch/pricing/
 */
async function agesOf(
  cloudwatch: CloudWatchClient,
  queues: readonly string[],
  now: string,
): Promise<(number | null)[]> {
  if (queues.length === 0) return [];
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: queues.map((Value, i) => ({
        Id: `q${i}`,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/SQS',
            MetricName: 'ApproximateAgeOfOldestMessage',
            Dimensions: [{ Name: 'QueueName', Value }],
          },
          Period: 60,
          Stat: 'Maximum',
        },
      })),
      StartTime: new Date(plus(now, { minutes: -MEASURED_MINUTES })),
      EndTime: new Date(now),
      ScanBy: 'TimestampDescending',
    }),
  );
  const ages = new Map(MetricDataResults.map(({ Id, Values = [] }) => [Id, Values[0] ?? null]));
  return queues.map((_, i) => ages.get(`q${i}`) ?? null);
}

const Redrive = z.object({ deadLetterTargetArn: z.string() });

async function attributesOf(sqs: SQSClient, url: string) {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
        'RedrivePolicy',
      ],
    }),
  );
  const { RedrivePolicy } = Attributes;
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    redrive: RedrivePolicy ? Redrive.parse(JSON.parse(RedrivePolicy)).deadLetterTargetArn : null,
  };
}

/** A job is due for sweep, by `todoAt`, 15 minutes after its last sign of life; sweep checks one that waits in a queue repeatedly. */
async function jobsOf({ table }: ApiServices, now: string): Promise<Findings['jobs']> {
  const kinds = [DUE_WORK.job, DUE_WORK.retranscodeJob];
  const far = plus(now, { days: 10 });
  const overdue = plus(now, { ms: -OVERDUE_MS });
  const [counts, stuck, oldest] = await Promise.all([
    Promise.all(kinds.map((todo) => countTodo(table, todo, ENOUGH))),
    Promise.all(kinds.map((todo) => queryTodo(table, todo, { until: overdue, limit: MAX_STUCK }))),
    Promise.all(kinds.map((todo) => queryTodo(table, todo, { until: far, limit: 1 }))),
  ]);
  const late = stuck.flatMap((page) => page.items);
  const [first] = oldest.flatMap((page) => page.items.map((item) => item.todoAt)).sort();
  return {
    unfinished: counts.reduce((sum, count) => sum + count, 0),
    longestSilenceSeconds: first ? Math.max(0, secondsBetween(first, now) + STALE_AFTER_MS / 1000) : null,
    stuck: late.length,
    stuckIds: late.slice(0, SHOWN_STUCK).flatMap((key) => {
      const job = parseJobKey(key);
      return job ? [jobIdFor(job.mediaId, job.n)] : [];
    }),
  };
}

function hoursSince({ table }: ApiServices, since: string) {
  return queryAll(table, Hour, {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': apiKeys.hour('').pk,
      ':from': apiKeys.hour(since.slice(0, 13)).sk,
      ':to': apiKeys.hour('9999').sk,
    },
  });
}

function secondsBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 1000);
}
