import { describe, expect, it } from 'vitest';
import { calledBack } from '../../../core/api/callback.ts';
import { pricesIn } from '../../../core/contracts/prices.ts';
import type { Engine } from '../../../engines/engine.ts';
import { connectEngines, Engines, priceOf } from '../../../engines/registry.ts';

const BATCH = {
  JOB_QUEUE: 'uploads',
  RETRANSCODE_JOB_QUEUE: 'retranscodes',
  ON_DEMAND_JOB_QUEUE: 'on-demand',
  JOB_DEFINITION: 'transcoder:1',
  JOB_VCPUS: '4',
  COMPUTE_ENVIRONMENTS: 'spot on-demand',
  MAX_WORKERS: '16',
  JOB_BUCKET: 'media',
};
const JOB = 'abcdefghijklmnopqrstuvwxyz-3';

describe('the engines of a deployment', () => {
  it('are those whose variables a function has', () => {
    const engines = connectEngines({ ...BATCH, TABLE_NAME: 'table' });
    expect(engines.entries().map(([name]) => name)).toEqual(['batch-cpu']);
  });

  it('are not connected with half of the variables, and the missing ones are named', () => {
    const { JOB_DEFINITION: _, ...half } = BATCH;
    expect(() => connectEngines(half)).toThrow('JOB_DEFINITION');
  });

  it('are at least one', () => {
    expect(() => connectEngines({ TABLE_NAME: 'table' })).toThrow('the variables of no engine');
  });

  it('may lack one that a row names, and the error names it', () => {
    const engines = connectEngines(BATCH);
    const why = 'This deployment has no engine paper; it has batch-cpu.';
    expect(() => engines.get('paper')).toThrow(
      expect.objectContaining({ code: 'engine_refused', forGood: true, message: why }),
    );
  });

  it('are what a job may ask for, beside auto', () => {
    const engines = connectEngines(BATCH);
    expect(['auto', 'batch-cpu', 'paper'].map((name) => engines.has(name))).toEqual([true, true, false]);
  });

  it('need their own services alone, but for mediaconvert, whose workers are those of batch-cpu', () => {
    const engines = connectEngines({ ...BATCH, MEDIACONVERT_QUEUE: 'queue', MEDIACONVERT_ROLE: 'role' });
    expect(engines.needs({ engine: 'batch-cpu' })).toEqual(['batch-cpu']);
    expect([undefined, 'encode', 'finish-1'].map((part) => engines.needs({ engine: 'mediaconvert', part }))).toEqual([
      ['batch-cpu', 'mediaconvert'],
      ['mediaconvert'],
      ['batch-cpu'],
    ]);
  });

  it('have a price each, and an unknown one has none', () => {
    const { prices } = pricesIn('us-east-1');
    expect(priceOf('batch-cpu', { vcpuSeconds: 3600 }, prices)).toEqual({ usd: 0.04937, vcpuSeconds: 3600 });
    expect(priceOf('paper', { vcpuSeconds: 3600 }, prices)).toBeUndefined();
  });
});

describe('a message', () => {
  /** An engine that reads what comes from `source`. */
  const reader = (source: string) =>
    ({ read: async (message) => (message.source === source ? { kind: 'nothing', why: source } : null) }) as Engine;
  const engines = new Engines({ tape: reader('tape'), paper: reader('paper') });
  const from = (source: string) => ({ source, 'detail-type': 'News', detail: {} });

  it('is read by its engine', async () => {
    expect(await engines.read(from('paper'))).toEqual({ kind: 'nothing', why: 'paper' });
  });

  it('of a service that two engines share is read by the one whose job it is of', async () => {
    const running = { kind: 'running' as const, jobId: JOB, engineJobId: 'e-1' };
    const other = { read: async () => running } as unknown as Engine;
    expect(await new Engines({ tape: reader('tape'), other }).read(from('tape'))).toEqual(running);
  });

  it('that no engine reads is an error, so that it is kept', async () => {
    await expect(engines.read(from('aws.s3'))).rejects.toThrow('No engine reads News from aws.s3.');
  });

  it("of an engine's callback is the end that its result explains", async () => {
    const completed = calledBack({ jobId: 'e-1', status: 'completed' }, JOB);
    const failed = calledBack({ jobId: 'e-1', status: 'failed', error: 'out of tape' }, JOB);
    const ended = (said: string) => ({
      kind: 'ended',
      jobId: JOB,
      engineJobId: 'e-1',
      end: {
        by: 'itself',
        reason: { code: 'worker_lost', message: `The worker ended without a result (${said}).` },
      },
    });
    expect(await engines.read(completed)).toEqual(ended('no reason given'));
    expect(await engines.read(failed)).toEqual(ended('out of tape'));
  });
});
