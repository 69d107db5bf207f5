import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { eachLimit } from '../../../aws/concurrency.ts';
import { httpStatus } from '../../../aws/http-status.ts';
import { readText } from '../../../aws/s3.ts';
import type { Job } from '../../../core/contracts/job.ts';
import { partPrefix } from '../../../core/contracts/keys.ts';
import { parseJson } from '../../../core/contracts/text.ts';
import { ChunkRecord, jointFaults, SoundRecord } from '../../../core/media/chunk-record.ts';
import type { WorkerContext } from '../context.ts';
import { asDropreelError } from '../failures.ts';
import { log } from '../log.ts';
import { removeMarkers, type Scratch } from '../scratch.ts';
import { encodeTask } from '../tasks/encode.ts';
import { TASKS } from '../tasks/index.ts';
import { joinTask } from '../tasks/join.ts';
import { makeOutputs, type Transcoded, type TranscodeRun } from '../transcode.ts';
import type { OpenPart } from './bring.ts';
import { NotExact, orWhole } from './doubt.ts';
import { type Part, readCut, recordOf } from './part.ts';

/** Records that are read at once. */
const PARALLEL = 8;

interface Spent {
  cpuSecondsBefore: number;
  /** Wall time. */
  besideSeconds: number;
}

/**
 * Makes a film of its parts.
 * @returns the outputs, or why the film has to be encoded whole, and the time of all that worked on it before
 * @throws DropreelError
 */
export async function joinFilm(
  job: Job,
  context: Pick<WorkerContext, 's3' | 'progress'>,
  run: TranscodeRun & { scratch: Scratch },
): Promise<({ transcoded: Transcoded } | { why: string }) & Spent> {
  const { s3 } = context;
  const left = await cutOf(context, job);
  if (!left) return { why: 'What the first worker has left cannot be read.', cpuSecondsBefore: 0, besideSeconds: 0 };
  const { prepared, plan, cut } = left;
  const { probe, report, warnings } = prepared;
  const sound = await readRecord(s3, job, 'sound', SoundRecord);
  const records: (ChunkRecord | null)[] = cut.map(() => null);
  await eachLimit([...cut.keys()], PARALLEL, async (index) => {
    records[index] = await readRecord(s3, job, index, ChunkRecord);
  });
  const found = records.filter((record) => record !== null);
  const all = [prepared, ...(sound ? [sound] : []), ...found];
  const spent = {
    cpuSecondsBefore: all.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    besideSeconds: all.reduce((total, { wallSeconds = 0 }) => total + wallSeconds, 0),
  };
  const faults = sound?.status === 'encoded' ? jointFaults(found, sound.held) : [sound?.why ?? 'The sound is missing.'];
  const [why] = faults;
  if (why !== undefined || sound?.status !== 'encoded') {
    log('warn', 'the chunks do not make the film', { jobId: job.jobId, faults: faults.slice(0, 20) });
    return { why: why ?? '', ...spent };
  }
  // jointFaults has seen that none is missing or says `whole`.
  const chunks = found.filter((record) => record.status === 'encoded');
  const open: OpenPart = async (part, name) => {
    const { folder, files } = part === 'sound' ? sound : (chunks[part] ?? sound);
    const file = files.find(({ path }) => path === name);
    const Key = `${job.output.prefix}${partPrefix(part)}${folder}${name}`;
    const object = new GetObjectCommand({ Bucket: job.output.bucket, Key });
    const { Body } = await s3.send(object, { abortSignal: run.signal }).catch((error: unknown) => {
      throw httpStatus(error) === 404 ? new NotExact(`${Key} is missing.`) : error;
    });
    return { bytes: Body as Readable, crc64nvme: file?.crc64nvme };
  };
  const join = joinTask({ cut, chunks, sound, open });
  const tasks = TASKS.map((task) => (task === encodeTask ? join : task));
  const made = await orWhole(run.signal, async () => {
    return { transcoded: await makeOutputs(run, { probe, plan, report, warnings }, tasks) };
  });
  if ('why' in made) {
    log('warn', 'what was joined is not the film', { jobId: job.jobId, why: made.why });
    await removeMarkers(run.scratch);
    return { why: made.why, ...spent };
  }
  return { ...made, ...spent };
}

/** Null where another release has cut the film, or nothing is left of it: the encode of the whole needs none of it. */
async function cutOf(
  context: Pick<WorkerContext, 's3'>,
  job: Job,
): Promise<Awaited<ReturnType<typeof readCut>> | null> {
  try {
    return await readCut(context, job);
  } catch (error) {
    if (asDropreelError(error).code === 'storage_failed') throw error;
    log('warn', 'nothing can be joined', { jobId: job.jobId, error: String(error) });
    return null;
  }
}

async function readRecord<T>(
  s3: WorkerContext['s3'],
  job: Job,
  part: Part,
  schema: { safeParse: (value: unknown) => { data?: T } },
): Promise<T | null> {
  const text = await readText(s3, recordOf(job, part));
  return text === null ? null : (schema.safeParse(parseJson(text)).data ?? null);
}
