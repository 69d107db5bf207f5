/**
 * The local cloud's S3 against moto's server and s3rver, where they are on the PATH or named by MOTO_SERVER and S3RVER: one after the
 * other in one run, by the same AWS SDK client. Measures the time, the server's CPU time, and its peak resident memory so far.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { execa } from 'execa';

const MIB = 2 ** 20;
const SMALL = 500;
const LARGE_MIB = 128;
/** The object size at which memory is judged. */
const HUGE_MIB = 2048;
/** A step is aborted after this time. */
const STEP_LIMIT_MS = 900_000;
const Bucket = 'bench';

interface Server {
  name: string;
  endpoint: string;
  child: ChildProcess;
  accessKeyId: string;
  /** Default: the access key's id. */
  secretAccessKey?: string;
}

async function startOurs(dir: string): Promise<Server> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/support/s3-server.ts', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (line: Buffer) => resolve(line.toString()));
    child.once('exit', (code) => reject(new Error(`our server ended with ${code}`)));
  });
  return { name: 'dropreel', child, ...JSON.parse(line) };
}

/** `undefined`: it is not installed. */
async function startOther(
  command: string,
  { name, accessKeyId }: { name: string; accessKeyId: string },
  args: (port: string) => string[],
): Promise<Server | undefined> {
  const found = await execa(command, ['--help'], { reject: false });
  if (found.exitCode !== 0) return undefined;
  const port = String(await freePort());
  const child = spawn(command, args(port), { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 300; tries++) {
    const up = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (up) return { name, endpoint, child, accessKeyId };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} did not start in 30 s`);
}

const startMoto = () =>
  startOther(process.env.MOTO_SERVER ?? 'moto_server', { name: 'moto', accessKeyId: 'test' }, (port) => [
    ...['-H', '127.0.0.1', '-p', port],
  ]);

const startS3rver = (dir: string) =>
  startOther(process.env.S3RVER ?? 's3rver', { name: 's3rver', accessKeyId: 'S3RVER' }, (port) => [
    ...['-d', dir, '-a', '127.0.0.1', '-p', port, '-s'],
  ]);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Peak memory so far in MiB, and CPU seconds, from Linux's /proc. */
async function usage({ child }: Server): Promise<{ peak: number; cpu: number }> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { peak: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024, cpu: ticks / 100 };
}

const block = Buffer.alloc(MIB, 'x');
function* blocks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield block;
}
const put = (s3: S3Client, Key: string, mib: number) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: Readable.from(blocks(mib)), ContentLength: mib * MIB }));

async function drain(s3: S3Client, Key: string, size: number): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  let bytes = 0;
  for await (const chunk of Body as Readable) bytes += chunk.length;
  if (bytes !== size) throw new Error(`${bytes} bytes of ${size}`);
}

/** Each step runs once, after the ones before. */
const STEPS: [name: string, run: (s3: S3Client) => Promise<unknown>][] = [
  [
    `PUT ${SMALL} × 1 KiB, one at a time`,
    async (s3) => {
      for (let i = 0; i < SMALL; i++)
        await s3.send(new PutObjectCommand({ Bucket, Key: `s/${i}`, Body: 'x'.repeat(1024) }));
    },
  ],
  [
    `PUT ${SMALL} × 1 KiB, 8 at a time`,
    (s3) =>
      Promise.all(
        Array.from({ length: 8 }, async (_, worker) => {
          for (let i = worker; i < SMALL; i += 8)
            await s3.send(new PutObjectCommand({ Bucket, Key: `p/${i}`, Body: 'x'.repeat(1024) }));
        }),
      ),
  ],
  [
    `GET ${SMALL} × 1 KiB, one at a time`,
    async (s3) => {
      for (let i = 0; i < SMALL; i++) await drain(s3, `s/${i}`, 1024);
    },
  ],
  [
    `LIST ${2 * SMALL} keys, 50 times`,
    async (s3) => {
      for (let i = 0; i < 50; i++) await s3.send(new ListObjectsV2Command({ Bucket }));
    },
  ],
  [`PUT ${LARGE_MIB} MiB`, (s3) => put(s3, 'large', LARGE_MIB)],
  [`GET ${LARGE_MIB} MiB`, (s3) => drain(s3, 'large', LARGE_MIB * MIB)],
  [
    `upload ${LARGE_MIB} MiB in parts of 8 MiB, 4 at a time`,
    (client) => {
      const params = { Bucket, Key: 'parts', Body: Readable.from(blocks(LARGE_MIB)) };
      return new Upload({ client, params, partSize: 8 * MIB, queueSize: 4 }).done();
    },
  ],
  [
    `copy ${LARGE_MIB} MiB`,
    (s3) => s3.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource: `${Bucket}/large` })),
  ],
  [`PUT ${HUGE_MIB} MiB`, (s3) => put(s3, 'huge', HUGE_MIB)],
];

/** Runs a step: `undefined` when it succeeded, else the reason why not. */
async function attempt(run: (s3: S3Client) => Promise<unknown>, s3: S3Client): Promise<string | undefined> {
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve(`not done in ${STEP_LIMIT_MS / 1000} s`), STEP_LIMIT_MS).unref();
  });
  const done = run(s3).then(
    () => undefined,
    ({ name, message }: Error) => (name === 'Error' ? message : name),
  );
  return Promise.race([done, late]);
}

async function measure(server: Server): Promise<string[][]> {
  const s3 = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { secretAccessKey: server.accessKeyId, ...server },
    forcePathStyle: true,
  });
  if (server.name !== 'dropreel') await s3.send(new CreateBucketCommand({ Bucket }));
  const rows: string[][] = [];
  for (const [name, run] of STEPS) {
    if (server.child.exitCode !== null) break;
    const before = await usage(server);
    const started = performance.now();
    const failed = await attempt(run, s3);
    const seconds = (performance.now() - started) / 1000;
    const after = await usage(server).catch(() => before);
    process.stderr.write(`${server.name}: ${name}: ${failed ?? `${seconds.toFixed(2)} s`}\n`);
    rows.push([
      name,
      failed ?? `${seconds.toFixed(2)} s`,
      `${(after.cpu - before.cpu).toFixed(2)} s`,
      `${after.peak.toFixed(0)} MiB`,
    ]);
  }
  return rows;
}

async function bench(
  start: () => Promise<Server | undefined>,
): Promise<{ name: string; rows: string[][]; load: string } | undefined> {
  const server = await start();
  if (!server) return undefined;
  try {
    const [before] = loadavg();
    const rows = await measure(server);
    return { name: server.name, rows, load: `${before?.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after` };
  } finally {
    server.child.kill('SIGKILL');
  }
}

const dir = await mkdtemp(join(tmpdir(), 'dropreel-bench-s3-'));
try {
  await Promise.all(['ours', 's3rver'].map((name) => mkdir(join(dir, name))));
  const results = [];
  for (const start of [() => startOurs(join(dir, 'ours')), startMoto, () => startS3rver(join(dir, 's3rver'))]) {
    const result = await bench(start);
    if (result) results.push(result);
  }
  console.log(`| step |${results.map(({ name }) => ` ${name}: time | CPU | peak RSS |`).join('')}`);
  console.log(`|---|${results.map(() => '---|---|---|').join('')}`);
  for (const [i, [step]] of STEPS.entries()) {
    const cells = results.map(({ rows }) => rows[i]?.slice(1).join(' | ') ?? 'it has ended | – | –');
    console.log(`| ${step} | ${cells.join(' | ')} |`);
  }
  for (const { name, load } of results) console.log(`${name}: load ${load}`);
} finally {
  await rm(dir, { recursive: true, force: true });
}
