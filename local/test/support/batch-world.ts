import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  SubmitJobCommand,
  type SubmitJobCommandInput,
} from '@aws-sdk/client-batch';
import { Clock } from '../../kernel/clock.ts';
import { Meter } from '../../kernel/meter.ts';
import type { AccessCheck, EmitEvent } from '../../kernel/service.ts';
import type { Shortage } from '../../services/batch/attempt.ts';
import { type Batch, createBatch } from '../../services/batch/service.ts';
import { serve } from '../unit/batch/serve.ts';

export type BatchEvent = Parameters<EmitEvent>[0];

const ARN = 'arn:aws:batch:us-east-1:123456789012:';
export const arns = {
  queue: `${ARN}job-queue/plain`,
  low: `${ARN}job-queue/low`,
  fair: `${ARN}job-queue/fair`,
  onDemand: `${ARN}job-queue/on-demand`,
  definition: `${ARN}job-definition/worker:1`,
  computeEnvironment: `${ARN}compute-environment/spot`,
};

/**
 * The image's program, steered by variables that begin with DROPREEL_: HOLD, a file it waits for; EXIT, its exit code, or several by attempt
 * (`75,0`); ON_TERM, the exit code after SIGTERM (else it ignores it); REPORT, a file that gets a line of JSON per start.
 */
const MAIN = `
import { appendFileSync, existsSync } from 'node:fs';
const { DROPREEL_HOLD: HOLD, DROPREEL_EXIT: EXIT = '0', DROPREEL_ON_TERM: ON_TERM, DROPREEL_REPORT: REPORT, AWS_BATCH_JOB_ATTEMPT } = process.env;
process.on('SIGTERM', () => { console.log('SIGTERM'); if (ON_TERM !== undefined) process.exit(Number(ON_TERM)); });
if (REPORT) appendFileSync(REPORT, JSON.stringify({ env: process.env, argv: process.argv.slice(2), cwd: process.cwd() }) + '\\n');
console.log('started');
while (HOLD && !existsSync(HOLD)) await new Promise((resolve) => setTimeout(resolve, 5));
const codes = EXIT.split(',');
process.exit(Number(codes[Math.min(Number(AWS_BATCH_JOB_ATTEMPT), codes.length) - 1]));
`;

export interface Options {
  slots?: number;
  computeType?: 'FARGATE_SPOT' | 'SPOT';
  definition?: Record<string, unknown>;
  container?: Record<string, unknown>;
  policy?: Record<string, unknown>;
  /** The image's ENTRYPOINT in place of `["node", "main.mjs"]`, without a CMD. */
  entrypoint?: string;
  authorize?: (check: AccessCheck) => void;
  emit?: EmitEvent;
  /** Of every attempt. */
  shortage?: Shortage;
}

export interface World {
  dir: string;
  clock: Clock;
  meter: Meter;
  batch: Batch;
  client: BatchClient;
  events: BatchEvent[];
  logs: string[];
  /** Submits `worker:1` to the plain queue with these variables, DROPREEL_ before each name. Resolves to the job's id. */
  submit(environment?: Record<string, string>, more?: Partial<SubmitJobCommandInput>): Promise<string>;
  describe(id: string): Promise<JobDetail>;
  /** Polls until the job has one of these states. */
  until(id: string, ...states: string[]): Promise<JobDetail>;
  /** Lets jobs go on that wait for this file. */
  release(file: string): Promise<void>;
  reports(file: string): Promise<{ env: Record<string, string>; argv: string[]; cwd: string }[]>;
  /** Ends this cloud (`crash` without a word), and brings up the next on its directory. */
  restart(how: 'close' | 'crash'): Promise<void>;
  close(): Promise<void>;
}

const RULES = {
  settablePrefix: 'DROPREEL_',
  pathVariables: ['SCRATCH_DIR'],
  inherited: ['FFMPEG_PATH', 'FFPROBE_PATH'],
};

export async function startWorld(options: Options = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'batch-'));
  const image = join(dir, 'image');
  await mkdir(image);
  await writeFile(join(image, 'main.mjs'), MAIN);
  const start = options.entrypoint ?? '["node", "main.mjs"]\nCMD ["from-cmd"]';
  await writeFile(join(image, 'Dockerfile'), `FROM node:24\nWORKDIR /app\nENTRYPOINT ${start}\n`);
  const clock = new Clock();
  const meter = new Meter();
  const events: BatchEvent[] = [];
  const logs: string[] = [];

  const up = async () => {
    const state = join(dir, 'state');
    await mkdir(state, { recursive: true });
    const batch = await createBatch(
      { dir: state, clock, log: (line) => logs.push(line) },
      {
        ...resources(options),
        emit: options.emit ?? (async (event) => void events.push(event)),
        credentialsFor: (role) => ({ accessKeyId: `key of ${role}`, secretAccessKey: 'secret', sessionToken: 'token' }),
        imageDirectory: () => ({ directory: image, dockerFile: join(image, 'Dockerfile') }),
        endpoint: () => 'http://127.0.0.1:4566',
        meter,
        rules: RULES,
        slots: options.slots,
        shortageOf: () => options.shortage ?? {},
      },
    );
    const server = await serve(batch, options.authorize);
    await batch.start();
    const client = new BatchClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    });
    return { batch, server, client };
  };
  let now = await up();

  const world: World = {
    dir,
    clock,
    meter,
    events,
    logs,
    get batch() {
      return now.batch;
    },
    get client() {
      return now.client;
    },
    async submit(environment = {}, more = {}) {
      const { jobId } = await now.client.send(
        new SubmitJobCommand({
          jobName: 'job',
          jobQueue: 'plain',
          jobDefinition: 'worker:1',
          containerOverrides: {
            environment: Object.entries(environment).map(([name, value]) => ({ name: `DROPREEL_${name}`, value })),
          },
          ...more,
        }),
      );
      return jobId ?? '';
    },
    async describe(id) {
      const { jobs } = await now.client.send(new DescribeJobsCommand({ jobs: [id] }));
      const [job] = jobs ?? [];
      if (!job) throw new Error(`no job ${id}`);
      return job;
    },
    async until(id, ...states) {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const job = await world.describe(id);
        if (states.includes(job.status ?? '')) return job;
        if (Date.now() > deadline)
          throw new Error(`job ${id} is ${job.status} (${job.statusReason}), not ${states}\n${logs.join('\n')}`);
        await wait(5);
      }
    },
    release: (file) => writeFile(file, ''),
    async reports(file) {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    async restart(how) {
      now.client.destroy();
      await now.server.close();
      await now.batch[how]();
      now = await up();
    },
    async close() {
      now.client.destroy();
      await now.server.close();
      await now.batch.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}

/** Resolves once a job's first attempt has printed this. */
export async function printed({ batch }: World, id: string, text: string): Promise<void> {
  await eventually(async () => (await readFile(batch.logFile(id, 1), 'utf8')).includes(text), `the job prints ${text}`);
}

/** Polls a condition until it holds. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`);
    await wait(5);
  }
}

function resources({ computeType = 'FARGATE_SPOT', definition, container, policy }: Options) {
  const { computeEnvironment } = arns;
  const queue = (name: string, Priority: number, more = {}) => ({
    arn: `${ARN}job-queue/${name}`,
    properties: {
      Priority,
      ComputeEnvironmentOrder: [{ ComputeEnvironment: computeEnvironment, Order: 1 }],
      ...more,
    },
  });
  return {
    computeEnvironments: [
      {
        arn: computeEnvironment,
        properties: { Type: 'MANAGED', ComputeResources: { Type: computeType, MaxvCpus: 16, Subnets: ['subnet-1'] } },
      },
    ],
    schedulingPolicies: [
      {
        arn: `${ARN}scheduling-policy/by-creator`,
        properties: { FairsharePolicy: { ShareDecaySeconds: 3600, ...policy } },
      },
    ],
    jobQueues: [
      queue('plain', 10),
      queue('low', 1),
      queue('fair', 5, { SchedulingPolicyArn: `${ARN}scheduling-policy/by-creator` }),
      queue('on-demand', 5, { SchedulingPolicyArn: `${ARN}scheduling-policy/by-creator` }),
      queue('off', 5, { State: 'DISABLED' }),
    ],
    jobDefinitions: [
      {
        arn: arns.definition,
        properties: {
          Type: 'container',
          ContainerProperties: {
            Image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/assets:abc',
            JobRoleArn: 'arn:aws:iam::123456789012:role/worker',
            Environment: [{ Name: 'SCRATCH_DIR', Value: '/scratch' }],
            ResourceRequirements: [
              { Type: 'VCPU', Value: '4' },
              { Type: 'MEMORY', Value: '8192' },
            ],
            EphemeralStorage: { SizeInGiB: 100 },
            ...container,
          },
          ...definition,
        },
      },
    ],
  };
}
