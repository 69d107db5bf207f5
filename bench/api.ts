/**
 * The HTTP API on the local cloud: p50 and p99 of each route, one request at a time; and how fast `dropreel upload` sends 1 GiB compared
 * with a plain multipart loop of the SDK with the same parts and concurrency.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { bootCloud, type Cloud } from '../local/boot.ts';
import { REGION } from '../local/kernel/account.ts';
import { announce, CLOUD_FILE } from '../scripts/cloud-file.ts';
import { LOCAL_CLOUD } from '../scripts/local-cloud.ts';
import { apiAs, assemblyWith, OPERATOR } from '../test/support/api.ts';

const REQUESTS = 200;
const WARM_UP = 20;
const MIB = 1024 * 1024;
const FILE_SIZE = 1024 * MIB;
const PART_SIZE = 16 * MIB;
const AT_ONCE = 4;
const ROUNDS = 2;

const [mode, ...rest] = process.argv.slice(2);
if (mode === '--plain') await plainLoop(rest[0] ?? '', rest[1] ?? '', rest[2] ?? '');
else await bench();

async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-bench-api-'));
  await using assembly = await assemblyWith({ api: { MAX_API_UPLOAD_BYTES: String(2 * FILE_SIZE) } });
  const cloud = await bootCloud({ ...LOCAL_CLOUD, assembly: assembly.directory, stateDir: join(folder, 'cloud') });
  try {
    console.table(await latencies(cloud));
    console.table(await uploads(cloud, folder));
  } finally {
    await cloud.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function latencies(cloud: Cloud) {
  const api = await apiAs(cloud, 'bench', OPERATOR);
  const upload = { fileName: 'a.mp4', size: 10, contentType: 'video/mp4' };
  const large = { ...upload, size: 100 * MIB };
  const id = String((await api('POST', '/uploads', { body: upload })).body.id);
  const parts = String((await api('POST', '/uploads', { body: large })).body.id);
  for (let n = 0; n < 60; n += 1) await api('POST', '/uploads', { body: upload });
  await api('POST', '/collections', { body: { id: 'bench' } });
  const webhook = String((await api('POST', '/webhooks', { body: { url: 'https://example.com/' } })).body.id);
  let n = 0;
  const routes: [string, string, string, (() => unknown)?][] = [
    ['POST', '/uploads', '/uploads', () => upload],
    ['POST', '/uploads (in parts)', '/uploads', () => large],
    ['GET', '/uploads/{id}', `/uploads/${id}`],
    ['POST', '/uploads/{id}/parts', `/uploads/${parts}/parts`, () => ({ partNumbers: [1, 2, 3, 4] })],
    ['GET', '/media', '/media?creatorId=bench'],
    ['GET', '/media (everybody)', '/media'],
    ['GET', '/media/{id}', `/media/${id}`],
    ['PATCH', '/media/{id}', `/media/${id}`, () => ({ title: `T${++n}` })],
    ['GET', '/media/{id}/jobs', `/media/${id}/jobs`],
    ['POST', '/collections', '/collections', () => ({ id: `c${++n}` })],
    ['GET', '/collections', '/collections'],
    ['GET', '/collections/{id}', '/collections/bench'],
    ['PATCH', '/collections/{id}', '/collections/bench', () => ({ title: `T${++n}` })],
    ['GET', '/webhooks', '/webhooks'],
    ['GET', '/webhooks/{id}/deliveries', `/webhooks/${webhook}/deliveries`],
    ['GET', '/stats', '/stats'],
    ['GET', '/health', '/health'],
    ['GET', '/openapi.json', '/openapi.json'],
  ];
  const table: Record<string, { p50: string; p99: string }> = {};
  for (const [method, name, path, body] of routes) {
    const times: number[] = [];
    for (let i = 0; i < WARM_UP + REQUESTS; i += 1) {
      const started = performance.now();
      const answer = await api(method, path, body ? { body: body() } : {});
      if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (i >= WARM_UP) times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    const at = (part: number) => `${(times[Math.floor(times.length * part)] ?? 0).toFixed(1)} ms`;
    table[`${method} ${name}`] = { p50: at(0.5), p99: at(0.99) };
  }
  return table;
}

/** Alternates between the two, so that both run under the same conditions; the best run of each counts. */
async function uploads(cloud: Cloud, folder: string) {
  const file = join(folder, 'large.mp4');
  const handle = await open(file, 'w');
  // Not a media file, so that nothing is encoded meanwhile.
  for (let i = 0; i < FILE_SIZE / PART_SIZE; i += 1) await handle.write(Buffer.alloc(PART_SIZE, i + 1));
  await handle.close();
  await announce(cloud, join(folder, CLOUD_FILE));
  const { credentials, endpoint, outputs } = cloud;
  const env = {
    XDG_CONFIG_HOME: folder,
    XDG_STATE_HOME: folder,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const timed = async (args: string[]) => {
    const started = performance.now();
    await execa('node', args, { cwd: folder, env });
    return (performance.now() - started) / 1000;
  };
  const tsx = ['--import', import.meta.resolve('tsx')];
  const commands = {
    'dropreel upload': [resolve('cli/dropreel.mjs'), 'upload', file, '--concurrency', String(AT_ONCE)],
    'plain loop': [...tsx, resolve('bench/api.ts'), '--plain', endpoint, outputs.UploadsBucket ?? '', file],
  };
  const best: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, await timed(args));
    }
  }
  const rate = (name: string) => FILE_SIZE / MIB / (best[name] ?? Number.NaN);
  const ratio = rate('dropreel upload') / rate('plain loop');
  return {
    ...Object.fromEntries(
      Object.keys(commands).map((name) => [name, { 'MiB/s, start of the program included': rate(name).toFixed(0) }]),
    ),
    'ratio (at least 0.9)': { 'MiB/s, start of the program included': ratio.toFixed(2) },
  };
}

async function plainLoop(endpoint: string, Bucket: string, file: string): Promise<void> {
  const s3 = new S3Client({ endpoint, region: REGION, forcePathStyle: true });
  const Key = `other/${Date.now()}`;
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const handle = await open(file);
  const numbers = Array.from({ length: FILE_SIZE / PART_SIZE }, (_, i) => i + 1);
  const queue = numbers.values();
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  const worker = async () => {
    for (const PartNumber of queue) {
      const Body = Buffer.alloc(PART_SIZE);
      await handle.read(Body, 0, PART_SIZE, (PartNumber - 1) * PART_SIZE);
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await handle.close();
  Parts.sort((a, b) => a.PartNumber - b.PartNumber);
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
}
