import { type ChildProcess, fork } from 'node:child_process';
import { z } from 'zod';
import { ErrorCode } from '../../core/contracts/errors.ts';
import { SourceInfo } from '../../core/contracts/table/media.ts';
import type { Read } from './blocks.ts';
import type { Finding } from './finding.ts';

/** A real file takes some hundred milliseconds, most of them for S3. */
const TIME_BUDGET_MS = 5000;
/** MiB of V8's heap. The index of a file is read up to 2 MiB; its unpacked tables take some tens. */
const HEAP_MIB = 192;

const Pixels = z.number().int().min(0).max(0xffff_ffff);
const Codec = z.string().max(100);
/** Every number here becomes part of a row, and DynamoDB refuses some: a message that can never be written ends in the dead-letter queue. */
const Info = SourceInfo.extend({
  durationSeconds: z.number().min(1e-9).max(1e9).optional(),
  width: Pixels.optional(),
  height: Pixels.optional(),
  videoCodec: Codec.optional(),
  audioCodec: Codec.optional(),
}).strict();

/** From the parser's process: bytes that it wants, or what it found. Checked, because that process has read what a stranger wrote. */
const FromParser = z.union([
  z.object({ read: z.object({ id: z.number(), start: z.number(), end: z.number() }) }),
  z.object({
    finding: z
      .union([
        z.strictObject({ kind: z.enum(['video', 'audio']).exactOptional(), info: Info }),
        z.strictObject({ refused: z.strictObject({ code: ErrorCode, message: z.string().max(500) }) }),
      ])
      .nullable(),
  }),
]);
export type FromParser = z.infer<typeof FromParser>;
/** To the parser's process: the size of the file, then bytes. */
export type ToParser = { size: number } | { id: number; bytes: Uint8Array };

/**
 * Parses a container in a separate process, which is killed when its time or its heap is used up: a parser that counts to four billion
 * runs no timer. A worker thread would not do. Lambda starts Node with `--max-old-space-size`, which overrides a thread's own limits, and
 * a thread that exhausts such a heap takes the process with it (https://github.com/nodejs/node/issues/43991, seen on Node 20.20). The
 * process has no credentials in its environment.
 *
 * @param module path of the built probe.child.mjs
 * @returns null where it did not finish, found what no media has, or a read failed or went beyond a budget: the worker's ffprobe
 * decides then
 */
export async function parseApart(
  module: string,
  read: Read,
  size: number,
  timeBudgetMs = TIME_BUDGET_MS,
): Promise<Finding | null> {
  const child = fork(module, {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeBudgetMs);
  try {
    return await new Promise<Finding | null>((resolve) => {
      child.on('message', (message) => {
        const { data } = FromParser.safeParse(message);
        if (data === undefined) return resolve(null);
        if ('finding' in data) return resolve(data.finding);
        const { id, start, end } = data.read;
        read(start, end).then(
          (bytes) => tell(child, { id, bytes }),
          () => resolve(null),
        );
      });
      child.on('error', () => resolve(null));
      child.on('exit', () => resolve(null));
      tell(child, { size });
    });
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

function tell(child: ChildProcess, message: ToParser): void {
  // It may have ended by now; its exit is what counts.
  if (child.connected) child.send(message, () => undefined);
}
