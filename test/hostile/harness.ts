import { copyFile, open, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asDropreelError } from '../../containers/transcoder/failures.ts';
import { openScratch, removeScratch } from '../../containers/transcoder/scratch.ts';
import { transcode } from '../../containers/transcoder/transcode.ts';
import { ERRORS, type ErrorCode } from '../../core/contracts/errors.ts';
import { examine } from '../../functions/ingest-upload/preflight.ts';
import { buildFunction } from '../../scripts/build.ts';
import { TOOLS, temporaryDirectory } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

export type Outcome = 'ready' | ErrorCode;

/** Where a case makes its file, and the port of a listener that nobody may connect to. */
export interface Workshop {
  directory: string;
  port: number;
}

export interface HostileFile {
  title: string;
  /** What becomes of it; several where FFmpeg's versions differ. */
  becomes: Outcome | readonly Outcome[];
  /** Makes the file and gives its path. */
  make(workshop: Workshop): Promise<string>;
  /** Also in the short form, which is part of `npm test`: one or two of each kind. */
  short?: true;
}

/** `npm run test:hostile` runs every case. */
export const WHOLE = process.env.DROPREEL_HOSTILE === 'whole';
/** What an upload may take from here: the preflight's parser has 5 s, and none of these files lasts a minute. */
const LIMIT_MS = 240_000;
/** Faults that are dropreel's, or the machine's, and never a file's. */
const OURS = Object.entries(ERRORS).flatMap(([code, { transient }]) => (transient ? [code] : []));

/** Registers one kind of hostile files: each goes through the preflight and the worker, as an upload does. */
export function hostileFiles(kind: string, all: readonly HostileFile[]): void {
  const files = all.filter(({ short }) => WHOLE || short);
  if (files.length === 0) return;
  describe(kind, () => {
    let workshop: Workshop;
    let parser: string;
    let listener: Listener;
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
    beforeAll(async () => {
      directory = await temporaryDirectory();
      listener = await listen();
      await buildFunction('ingest-upload', join(directory.path, 'built'));
      parser = join(directory.path, 'built/probe.child.mjs');
      workshop = { directory: directory.path, port: listener.port };
    });
    afterAll(async () => {
      listener.server.close();
      await directory[Symbol.asyncDispose]();
    });
    for (const { title, becomes, make } of files) {
      const expected = [becomes].flat();
      test(`${title}: ${expected.join(' or ')}`, { timeout: LIMIT_MS }, async ({ task }) => {
        const { outcome, message } = await judge(await make(workshop), directory.path, parser);
        Object.assign(task.meta, { hostile: { kind, outcome } });
        expect(expected, message).toContain(outcome);
        expect(OURS).not.toContain(outcome);
        expect(message).not.toMatch(/0x[0-9a-f]{6,}/);
        expect(listener.connections(), 'connections').toBe(0);
      });
    }
  });
}

/** What becomes of a file, and what its uploader is told. */
async function judge(file: string, directory: string, parser: string): Promise<{ outcome: Outcome; message: string }> {
  const { size } = await stat(file);
  const handle = await open(file);
  const read = async (start: number, end: number) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.subarray(0, bytesRead);
  };
  const finding = await examine(read, size, { maxUploadBytes: 2 ** 40, parser }).finally(() => handle.close());
  if ('refused' in finding) return { outcome: finding.refused.code, message: finding.refused.message };
  const scratch = await openScratch(join(directory, `job-${crypto.randomUUID()}`));
  await copyFile(file, scratch.source);
  try {
    const { signal } = new AbortController();
    await transcode({ tools: TOOLS, scratch, preset: presetNamed('standard'), signal, onProgress: () => undefined });
    return { outcome: 'ready', message: '' };
  } catch (error) {
    const { code, message } = asDropreelError(error);
    return { outcome: code, message };
  } finally {
    await removeScratch(scratch);
    await rm(file, { force: true });
  }
}

interface Listener {
  server: Server;
  port: number;
  connections(): number;
}

/** Counts who connects: no file may make anybody do so. */
async function listen(): Promise<Listener> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0, connections: () => count };
}
