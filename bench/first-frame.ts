/**
 * How long a large source keeps its first picture waiting, from the claim to the first frame that is encoded, on the local cloud's S3; and
 * what is read of each kind of container, in place and whatever the rule says. MIB sets the size of the large sources: 2048.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { execa } from 'execa';
import { confined } from '../containers/transcoder/ffmpeg/demuxers.ts';
import { whyDownload } from '../containers/transcoder/input/where.ts';
import { probeSource } from '../containers/transcoder/probe.ts';
import { PRESETS } from '../core/contracts/presets.ts';
import { TOOLS } from '../test/support/media.ts';
import { serveSource } from '../test/support/source-server.ts';

const MIB = 2 ** 20;
const LARGE = Number(process.env.MIB ?? 2048) * MIB;
/** Size of the sources whose reading is counted. */
const COUNTED = 192 * MIB;
/** Of a second of the clip that the sources are made of: 720p of 8 s, 40 Mbit/s, two seconds from keyframe to keyframe, with sound. */
const CLIP_SECONDS = 8;
const MEDIA_ID = 'a'.repeat(26);
const { standard: preset } = PRESETS;
if (preset === undefined) throw new Error('no preset standard');

const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
try {
  await clip();
  await counted();
  await timed();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function ffmpeg(...args: string[]): Promise<string> {
  await execa('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], { cwd: directory });
  return join(directory, args.at(-1) ?? '');
}

async function clip(): Promise<void> {
  const noisy = `testsrc2=s=1280x720:r=30:d=${CLIP_SECONDS},noise=alls=24:allf=t`;
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-b:v',
    '40M',
    '-g',
    '60',
    '-bf',
    '2',
    '-pix_fmt',
    'yuv420p',
  ];
  await ffmpeg(
    '-f',
    'lavfi',
    '-i',
    noisy,
    '-f',
    'lavfi',
    '-i',
    `sine=d=${CLIP_SECONDS}`,
    ...video,
    '-c:a',
    'aac',
    'clip.mp4',
  );
}

/** The clip over and over, up to a size. */
async function source(size: number, ...as: string[]): Promise<string> {
  const loops = Math.ceil(size / (await stat(join(directory, 'clip.mp4'))).size);
  return ffmpeg('-stream_loop', String(loops - 1), '-i', 'clip.mp4', '-c', 'copy', ...as);
}

async function counted(): Promise<void> {
  const kinds: [string, string[]][] = [
    ['MP4, index in front', ['-movflags', '+faststart', 'front.mp4']],
    ['MP4, index at the end', ['end.mp4']],
    ['Matroska, index at the end', ['end.mkv']],
    ['Matroska, index in front', ['-cues_to_front', '1', 'front.mkv']],
    ['MP4 in fragments', ['-movflags', '+frag_keyframe+empty_moov', 'fragments.mp4']],
    ['Matroska without an index', ['-live', '1', 'live.mkv']],
    ['MPEG-TS', ['stream.ts']],
    ['MPEG-PS', ['-c:a', 'mp2', '-f', 'vob', 'program.mpg']],
    ['AVI', ['old.avi']],
  ];
  const rows: Record<string, object> = {};
  for (const [name, as] of kinds) {
    const file = await source(COUNTED, ...as);
    await using server = await serveSource(file);
    await using input = await server.open(directory);
    const why = await whyDownload(input);
    const times = () => Math.round((input.traffic.bytes / input.size) * 100) / 100;
    const { signal } = input;
    const row: Record<string, unknown> = { rule: why === undefined ? 'in place' : 'downloaded' };
    try {
      const { look } = await probeSource(TOOLS, input, signal);
      Object.assign(row, { 'before the first picture': `${input.traffic.requests} requests, ${times()} x` });
      await look?.(signal);
      Object.assign(row, { 'and its fields': `${input.traffic.requests} requests, ${times()} x` });
      // Read as an encode reads it, and not decoded.
      const args = [...confined(input.protocols), '-i', input.nameIn(), '-map', '0', '-c', 'copy', '-f', 'null', '-'];
      await execa('ffmpeg', ['-v', 'quiet', ...args], { cwd: directory, reject: false, cancelSignal: signal });
      signal.throwIfAborted();
      Object.assign(row, { 'and its encode': `${input.traffic.requests} requests, ${times()} x` });
    } catch (error) {
      Object.assign(row, { 'and its encode': `${error}` });
    }
    rows[name] = row;
    await rm(file);
  }
  console.table(rows);
}

async function timed(): Promise<void> {
  const kinds: [string, string[]][] = [
    ['MP4, index in front', ['-movflags', '+faststart', 'front.mp4']],
    ['MP4, index at the end', ['end.mp4']],
    ['MP4 in fragments, without an index', ['-movflags', '+frag_keyframe+empty_moov', 'fragments.mp4']],
  ];
  const rows: Record<string, object> = {};
  for (const [name, as] of kinds) {
    const file = await source(LARGE, ...as);
    await using s3 = await startS3();
    const etag = await s3.put(file);
    const { size } = await stat(file);
    await rm(file);
    const seconds = await firstFrame(s3.server, { size, etag });
    rows[name] = { MiB: Math.round(size / MIB), seconds: seconds.toFixed(2), load: loadavg()[0]?.toFixed(1) };
  }
  console.table(rows);
}

async function startS3() {
  const folder = await mkdtemp(join(directory, 's3-'));
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/support/s3-server.ts', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const server = String(line);
  const { endpoint, accessKeyId, secretAccessKey } = JSON.parse(server);
  const s3 = new S3Client({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } },
  });
  return {
    server,
    async put(file: string): Promise<string> {
      const params = { Bucket: 'bench', Key: 'source', Body: createReadStream(file) };
      const { ETag } = await new Upload({ client: s3, params, partSize: 64 * MIB }).done();
      return ETag ?? '';
    },
    async [Symbol.asyncDispose]() {
      s3.destroy();
      child.kill();
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Seconds from the worker's claim to the first frame that it has encoded. */
async function firstFrame(server: string, { size, etag }: { size: number; etag: string }): Promise<number> {
  const scratch = await mkdtemp(join(directory, 'scratch-'));
  const job = {
    ...{ jobId: `${MEDIA_ID}-1`, mediaId: MEDIA_ID, creatorId: 'bench', preset },
    source: { bucket: 'bench', key: 'source', sequencer: '1', size, etag },
    output: { bucket: 'bench', prefix: 'tmp/bench/' },
  };
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'bench/support/work.ts', JSON.stringify(job), server, scratch],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    let claimed = Number.NaN;
    for await (const line of createInterface(child.stdout)) {
      if (!line.startsWith('{')) continue;
      const { message, code, time } = JSON.parse(line);
      if (message === 'claimed') claimed = Date.parse(time);
      if (message === 'first frame') return (Date.parse(time) - claimed) / 1000;
      if (code) throw new Error(line);
    }
    throw new Error('The worker ended before its first frame.');
  } finally {
    child.kill('SIGTERM');
    child.kill('SIGKILL');
    await rm(scratch, { recursive: true, force: true });
  }
}
