import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../../../local/clock.ts';
import { Pool } from '../../../../local/lambda/pool.ts';
import { Meter } from '../../../../local/meter.ts';

let directory: string;
let pools: Pool[];
const meter = () => new Meter();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dropreel-lambda-'));
  pools = [];
});
afterEach(async () => {
  for (const pool of pools) pool.close();
  await rm(directory, { recursive: true, force: true });
});

async function poolOf(
  code: string,
  changes: Partial<ConstructorParameters<typeof Pool>[0]['configuration']> = {},
  more = {},
) {
  await writeFile(join(directory, 'index.mjs'), code);
  const options = {
    surroundings: { dir: directory, clock: new Clock(), log: () => {} },
    configuration: {
      name: 'fn',
      arn: 'arn:aws:lambda:us-east-1:123456789012:function:fn',
      roleArn: 'arn:aws:iam::123456789012:role/fn',
      directory,
      module: 'index',
      export: 'handler',
      runtime: 'nodejs24.x',
      memorySize: 128,
      timeoutSeconds: 5,
      environment: { GREETING: 'hello' },
      concurrency: 2,
      permissions: [],
      asynchronous: { maxRetries: 2, maxAgeSeconds: 21_600, onFailureArn: undefined },
      ...changes,
    },
    endpoint: 'http://127.0.0.1:9',
    credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
    nodePath: process.execPath,
    meter: meter(),
    ...more,
  };
  const pool = new Pool(options);
  pools.push(pool);
  return { pool, options };
}

describe('a function', () => {
  it('answers from a process of its own, which is used again', async () => {
    const { pool, options } = await poolOf(
      'let n = 0; export const handler = (event) => ({ n: ++n, got: event, pid: process.pid });',
    );
    const first = await pool.invoke({ a: 1 });
    const second = await pool.invoke({ a: 2 });
    expect(first).toEqual({ ok: true, payload: expect.stringContaining('"n":1,"got":{"a":1}') });
    expect(second).toEqual({ ok: true, payload: expect.stringContaining('"n":2') });
    expect(JSON.stringify(first)).not.toContain(`"pid":${process.pid}`);
    expect(options.meter.snapshot()).toMatchObject({ 'lambda:requests:fn': 2, 'lambda:cold-starts:fn': 1 });
  });

  it('sees its own environment and nothing of ours', async () => {
    process.env.SECRET_OF_OURS = 'x';
    const { pool } = await poolOf(
      'const { GREETING, SECRET_OF_OURS = null, AWS_REGION, AWS_SESSION_TOKEN, AWS_LAMBDA_FUNCTION_NAME } = process.env; export const handler = () => [GREETING, SECRET_OF_OURS, AWS_REGION, AWS_SESSION_TOKEN, AWS_LAMBDA_FUNCTION_NAME];',
    );
    expect(await pool.invoke({})).toEqual({ ok: true, payload: '["hello",null,"us-east-1","t","fn"]' });
  });

  it("is told the template's runtime, whichever Node runs it", async () => {
    const { pool } = await poolOf('export const handler = () => process.env.AWS_EXECUTION_ENV;');
    expect(await pool.invoke({})).toEqual({ ok: true, payload: '"AWS_Lambda_nodejs24.x"' });
  });

  it('that throws answers with the name and message of the error', async () => {
    const { pool } = await poolOf("export const handler = () => { throw new RangeError('too far'); };");
    expect(await pool.invoke({})).toMatchObject({
      ok: false,
      error: { errorType: 'RangeError', errorMessage: 'too far' },
    });
  });

  it('that takes too long is killed, and the next invocation starts anew', async () => {
    const { pool } = await poolOf(
      'export const handler = ({ wait }) => wait ? new Promise(() => setInterval(() => {}, 1e6)) : "ok";',
      {
        timeoutSeconds: 1,
      },
    );
    expect(await pool.invoke({ wait: true })).toMatchObject({
      ok: false,
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
      },
    });
    expect(await pool.invoke({})).toEqual({ ok: true, payload: '"ok"' });
  });

  it('that ends its process answers with an exit error', async () => {
    const { pool } = await poolOf('export const handler = () => process.exit(3);');
    expect(await pool.invoke({})).toMatchObject({
      ok: false,
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 3') },
    });
  });

  it('whose module does not load says why', async () => {
    const { pool } = await poolOf("throw new Error('TABLE_NAME is missing');");
    expect(await pool.invoke({})).toMatchObject({ ok: false, error: { errorMessage: 'TABLE_NAME is missing' } });
  });

  it('runs no more at once than its concurrency', async () => {
    const { pool } = await poolOf(
      'export const handler = async () => { const from = performance.timeOrigin + performance.now(); await new Promise((r) => setTimeout(r, 100)); return [from, performance.timeOrigin + performance.now()]; };',
      { concurrency: 2 },
    );
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => pool.invoke({})));
    const spans = outcomes.map((outcome) => JSON.parse(outcome.ok ? outcome.payload : 'null') as [number, number]);
    const together = spans.map(([from]) => spans.filter(([start, end]) => start <= from && from < end).length);
    expect(Math.max(...together)).toBe(2);
  });

  it("lives in its cloud's time", async () => {
    const clock = new Clock();
    const { pool } = await poolOf(
      'export const handler = () => [Date.now(), new Date().getTime()];',
      {},
      {
        surroundings: { dir: directory, clock, log: () => {} },
      },
    );
    clock.advance(86_400_000);
    const outcome = await pool.invoke({});
    const times = JSON.parse(outcome.ok ? outcome.payload : '[]') as number[];
    for (const time of times) expect(Math.abs(time - clock.now())).toBeLessThan(5000);
  });
});
