import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Clock } from '../../kernel/clock.ts';
import { Meter } from '../../kernel/meter.ts';
import type { AccessCheck, EmitEvent } from '../../kernel/service.ts';
import { JobError } from '../../services/mediaconvert/job-error.ts';
import type { Objects } from '../../services/mediaconvert/objects.ts';
import { createMediaConvert, type MediaConvert } from '../../services/mediaconvert/service.ts';
import { serve } from '../unit/batch/serve.ts';
import { eventually } from './eventually.ts';

type Event = Parameters<EmitEvent>[0];

export const QUEUE = 'arn:aws:mediaconvert:us-east-1:123456789012:queues/encodes';
export const ROLE = 'arn:aws:iam::123456789012:role/encoder';
/** Trusts nobody. */
export const UNTRUSTING = 'arn:aws:iam::123456789012:role/untrusting';

export interface Detail extends Record<string, unknown> {
  jobId: string;
  status: string;
}

export interface Answer {
  status: number;
  body: { job?: Record<string, unknown>; queue?: Record<string, unknown>; message?: string };
}

export interface World extends AsyncDisposable {
  clock: Clock;
  meter: Meter;
  mediaconvert: MediaConvert;
  /** For AWS's SDK. */
  endpoint: string;
  checks: AccessCheck[];
  events: Event[];
  call(method: string, path: string, body?: object): Promise<Answer>;
  /** Resolves to the id of the job. @throws with the message of a refusal */
  submit(request: object): Promise<string>;
  /** Resolves to the detail of the job's event of this status. */
  until(id: string, status: string): Promise<Detail>;
  statuses(id: string): string[];
  /** Path of an object on this machine. */
  pathOf(uri: string): string;
  /** URIs of all objects under a prefix. */
  list(prefix: string): Promise<string[]>;
  restart(how: 'close' | 'crash'): Promise<void>;
}

/** A MediaConvert whose buckets are directories. */
export async function startWorld(
  options: { stopped?: boolean; paused?: boolean; emit?: EmitEvent } = {},
): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mediaconvert-'));
  const buckets = join(dir, 'buckets');
  const pathOf = (uri: string) => join(buckets, uri.slice('s3://'.length));
  const clock = new Clock();
  const meter = new Meter();
  const events: Event[] = [];
  const checks: AccessCheck[] = [];
  const up = async () => {
    const state = join(dir, 'state');
    await mkdir(state, { recursive: true });
    const mediaconvert = await createMediaConvert({
      context: { dir: state, clock, log: () => {} },
      emit: options.emit ?? (async (event) => void events.push(event)),
      meter,
      tools: { ffmpeg: process.env.FFMPEG_PATH ?? 'ffmpeg', ffprobe: process.env.FFPROBE_PATH ?? 'ffprobe' },
      objectsOf: () => objectsIn(pathOf),
      assume: (role) => (role === UNTRUSTING ? undefined : { accessKeyId: role, secretAccessKey: 'secret' }),
      queues: [{ name: 'encodes', arn: QUEUE, slots: 1, isPaused: options.paused ?? false }],
    });
    const server = await serve(mediaconvert, (check) => void checks.push(check));
    if (!options.stopped) mediaconvert.start();
    return { mediaconvert, server };
  };
  let now = await up();
  const details = (id: string) => events.map(({ detail }) => detail as Detail).filter(({ jobId }) => jobId === id);
  const world: World = {
    clock,
    meter,
    checks,
    events,
    pathOf,
    get mediaconvert() {
      return now.mediaconvert;
    },
    get endpoint() {
      return now.server.endpoint;
    },
    async call(method, path, body) {
      const answer = await fetch(`${now.server.endpoint}/2017-08-29${path}`, {
        method,
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as Answer['body'] };
    },
    async submit(request) {
      const { status, body } = await world.call('POST', '/jobs', request);
      if (status !== 201) throw new Error(body.message);
      return String(body.job?.id);
    },
    until: (id, status) =>
      eventually(`${id} is ${status}, not ${JSON.stringify(details(id).at(-1))}`, async () =>
        details(id).find((detail) => detail.status === status),
      ),
    statuses: (id) => details(id).map(({ status }) => status),
    async list(prefix) {
      const found = await readdir(dirname(`${pathOf(prefix)}x`), { recursive: true, withFileTypes: true });
      const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      return files.map((file) => `s3://${file.slice(buckets.length + 1)}`).sort();
    },
    async restart(how) {
      await now.server.close();
      await now.mediaconvert[how]();
      now = await up();
    },
    async [Symbol.asyncDispose]() {
      await now.server.close();
      await now.mediaconvert.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}

function objectsIn(pathOf: (uri: string) => string): Objects {
  return {
    async download(uri, file) {
      await copyFile(pathOf(uri), file).catch(() => {
        throw new JobError(1404, `${uri}: HeadObject failed`);
      });
    },
    async upload(file, uri) {
      await mkdir(dirname(pathOf(uri)), { recursive: true });
      await copyFile(file, pathOf(uri));
    },
    close: () => {},
  };
}

/** Makes a file with FFmpeg under a URI: `inputs` before, `outputs` after the usual arguments. */
export async function makeMedia(world: World, uri: string, ...args: string[]): Promise<void> {
  const path = world.pathOf(uri);
  await mkdir(dirname(path), { recursive: true });
  await promisify(execFile)(process.env.FFMPEG_PATH ?? 'ffmpeg', ['-v', 'error', '-y', ...args, path]);
}

export interface Probed {
  streams: Record<string, unknown>[];
  format: { duration: string };
}

export async function probe(world: World, uri: string): Promise<Probed> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', world.pathOf(uri)];
  const { stdout } = await promisify(execFile)(process.env.FFPROBE_PATH ?? 'ffprobe', args);
  return JSON.parse(stdout) as Probed;
}

export const textOf = (world: World, uri: string) => readFile(world.pathOf(uri), 'utf8');
