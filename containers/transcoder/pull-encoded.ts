import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { eachLimit } from '../../aws/concurrency.ts';
import { httpStatus } from '../../aws/http-status.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { pictureSize } from '../../core/media/fragments.ts';
import type { Size } from '../../core/media/size.ts';
import { objectsOf } from '../../engines/mediaconvert/settings.ts';
import { walkBoxes, withFile } from './box-walk.ts';
import { needDisk, readMarker, type Scratch, writeMarker } from './scratch.ts';
import { wholeName } from './split.ts';

/** Objects at once. */
const PARALLEL = 4;
const MARKER = 'encoded.done.json';

export interface EncodedRun {
  s3: S3Client;
  scratch: Scratch;
  bucket: string;
  /** Of what MediaConvert has written. */
  prefix: string;
  signal: AbortSignal;
  onProgress: (fraction: number) => void;
}

/**
 * Brings what MediaConvert has encoded to the scratch disk, under the names that FFmpeg's files have there, and its captures.
 * @returns the plan with the sizes that the pictures have: MediaConvert fits them into the planned ones, and may end a pixel or two short
 * @throws DropreelError `verify_failed` for an object that is missing or of another size
 */
export async function pullEncoded(run: EncodedRun, plan: EncodePlan): Promise<EncodePlan> {
  const { scratch, signal } = run;
  const done = await readMarker(scratch, MARKER, z.object({ sizes: z.record(z.string(), Pixels) }));
  if (done) return sized(plan, done.sizes);
  await needDisk(scratch, plan.worstCaseBytes, 'What was encoded of this file');
  const { renditions, captures } = objectsOf(plan);
  await mkdir(captureDirectory(scratch), { recursive: true });
  const wanted = [
    ...Object.entries(renditions).map(([file, object]) => ({ object, to: join(scratch.out, wholeName(file)) })),
    ...Object.values(captures)
      .flat()
      .map((object) => ({ object, to: join(captureDirectory(scratch), object), isExtra: true })),
  ];
  let count = 0;
  await eachLimit(wanted, PARALLEL, async ({ object, to, ...extra }) => {
    signal.throwIfAborted();
    await download(run, object, to, 'isExtra' in extra);
    count += 1;
    run.onProgress(count / wanted.length);
  });
  const sizes: Record<string, Size> = {};
  for (const { name } of plan.video?.rungs ?? []) sizes[name] = await sizeOf(join(scratch.out, wholeName(name)));
  const made = sized(plan, sizes);
  await writeMarker(scratch, MARKER, { sizes });
  return made;
}

const Pixels = z.object({ width: z.number().int(), height: z.number().int() });

/** Where the captures lie. */
export function captureDirectory({ root }: Scratch): string {
  return join(root, 'captures');
}

/** @param mayLack for captures beyond the end of a short file */
async function download({ s3, bucket, prefix, signal }: EncodedRun, object: string, to: string, mayLack: boolean) {
  try {
    const get = new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${object}` });
    const { Body } = await s3.send(get, { abortSignal: signal });
    await pipeline(Body as Readable, createWriteStream(`${to}.part`), { signal });
    await rename(`${to}.part`, to);
  } catch (error) {
    if (httpStatus(error) !== 404) throw error;
    if (!mayLack) throw new DropreelError('verify_failed', `MediaConvert has not written ${object}.`);
  }
}

async function sizeOf(file: string): Promise<Size> {
  return withFile(file, async (bytes) => {
    for await (const { type, offset, size } of walkBoxes(bytes)) {
      if (type !== 'moov') continue;
      return pictureSize(await bytes.read(0, offset + size));
    }
    throw new Error('it has no moov box');
  }).catch((cause: unknown) => {
    throw new DropreelError('verify_failed', `What MediaConvert wrote cannot be read: ${String(cause)}`, { cause });
  });
}

/** Pixels by which a side may be shorter than planned. */
const SHORT = 2;

function sized(plan: EncodePlan, sizes: Readonly<Record<string, Size>>): EncodePlan {
  if (!plan.video) return plan;
  const rungs = plan.video.rungs.map((rung) => {
    const { width, height } = sizes[rung.name] ?? rung;
    const fits = [rung.width - width, rung.height - height].every((short) => short >= 0 && short <= SHORT);
    if (fits) return { ...rung, width, height };
    const message = `MediaConvert made ${rung.name} of ${width}x${height} pixels, not of ${rung.width}x${rung.height}.`;
    throw new DropreelError('verify_failed', message);
  });
  return { ...plan, video: { ...plan.video, rungs } };
}
