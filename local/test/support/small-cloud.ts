import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type BootOptions, bootCloud, type Cloud } from '../../boot.ts';
import { REGION } from '../../kernel/account.ts';

/** A template of a test's own, and the functions that it names by asset. */
export interface SmallAssembly {
  resources: Record<string, object>;
  outputs?: Record<string, unknown>;
  /** Source of index.mjs, by asset hash: a function names it by `Code: { S3Bucket: 'assets', S3Key: '{hash}.zip' }`. */
  functions?: Record<string, string>;
  /** Further parts of the template. */
  more?: Record<string, unknown>;
}

/** Writes what cdk synth would: a manifest, a template, and the assets. */
export async function writeAssembly(directory: string, assembly: SmallAssembly): Promise<void> {
  await mkdir(directory, { recursive: true });
  const json = (name: string, value: unknown) => writeFile(join(directory, name), JSON.stringify(value));
  const files: Record<string, object> = {};
  for (const [hash, source] of Object.entries(assembly.functions ?? {})) {
    await mkdir(join(directory, `asset.${hash}`), { recursive: true });
    await writeFile(join(directory, `asset.${hash}`, 'index.mjs'), source);
    files[hash] = {
      source: { path: `asset.${hash}`, packaging: 'zip' },
      destinations: { current: { bucketName: 'assets', objectKey: `${hash}.zip` } },
    };
  }
  await json('manifest.json', {
    artifacts: {
      'Small.assets': { type: 'cdk:asset-manifest', properties: { file: 'Small.assets.json' } },
      Small: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Small.template.json' } },
    },
  });
  await json('Small.assets.json', { files, dockerImages: {} });
  await json('Small.template.json', {
    ...assembly.more,
    Resources: assembly.resources,
    Outputs: assembly.outputs ?? {},
  });
}

export interface SmallCloud extends AsyncDisposable {
  cloud: Cloud;
  log: string[];
  sqs: SQSClient;
  directory: string;
  /** The JSON lines that functions wrote to the file of their environment variable OUT. */
  written(): Promise<unknown[]>;
  /** Crashes it and boots it again on the same state. */
  crashAndRestart(): Promise<void>;
}

/** A local cloud of a small template in a temporary directory, gone with `await using`. `{OUT}` in it is the file of `written`. */
export async function smallCloud(assembly: SmallAssembly, options: Partial<BootOptions> = {}): Promise<SmallCloud> {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-small-'));
  const out = join(directory, 'out.jsonl');
  await writeAssembly(join(directory, 'cdk.out'), JSON.parse(JSON.stringify(assembly).replaceAll('{OUT}', out)));
  const log: string[] = [];
  const boot = () =>
    bootCloud({
      assembly: join(directory, 'cdk.out'),
      stateDir: join(directory, 'state'),
      log: (line) => log.push(line),
      ...options,
    });
  const cloud = await boot().catch(async (error) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const small: SmallCloud = {
    cloud,
    log,
    sqs: client(cloud),
    directory,
    async written() {
      const text = await readFile(out, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    async crashAndRestart() {
      await small.cloud.crash();
      small.cloud = await boot();
      small.sqs = client(small.cloud);
    },
    async [Symbol.asyncDispose]() {
      small.sqs.destroy();
      await small.cloud.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return small;
}

/** The SDK's options for a client with the developer's credentials. */
export function developer(cloud: Pick<Cloud, 'endpoint' | 'credentials'>) {
  return { endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials, maxAttempts: 1 };
}

function client(cloud: Cloud): SQSClient {
  return new SQSClient(developer(cloud));
}

/** A role that may do the actions on everything. */
export function role(...actions: string[]) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {},
      Policies: [
        {
          PolicyName: 'all',
          PolicyDocument: { Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] },
        },
      ],
    },
  };
}

/** A function of the asset `hash` with the role `{roleId}`. */
export function fn(hash: string, roleId: string, properties: object = {}) {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Bucket: 'assets', S3Key: `${hash}.zip` },
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Role: { 'Fn::GetAtt': [roleId, 'Arn'] },
      Environment: { Variables: { OUT: '{OUT}' } },
      ...properties,
    },
  };
}

/** Lets EventBridge's rules send to a queue. */
export function queuePolicy(queueId: string, ruleId: string) {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: queueId }],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: { 'Fn::GetAtt': [queueId, 'Arn'] },
            Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [ruleId, 'Arn'] } } },
          },
        ],
      },
    },
  };
}

/** Source of a function that writes each event to OUT, and fails the records whose body says so. */
export const RECORDER = `
import { appendFileSync } from 'node:fs';
export const handler = async (event, context) => {
  appendFileSync(process.env.OUT, JSON.stringify(event) + '\\n');
  if (event.throw) throw new TypeError(event.throw);
  const failed = (event.Records ?? []).filter(({ body }) => body?.includes('"fail":true'));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
`;

export const POLL = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
