import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../../kernel/clock.ts';
import { Meter } from '../../../kernel/meter.ts';
import { Concurrency } from '../../../services/lambda/concurrency.ts';
import { Pool } from '../../../services/lambda/pool.ts';

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
    context: { dir: directory, clock: new Clock(), log: () => {} },
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
      reserved: undefined,
      recursiveLoop: 'Terminate' as const,
      permissions: [],
      asynchronous: { maxRetries: 2, maxAgeSeconds: 21_600, onFailureArn: undefined },
      ...changes,
    },
    endpoint: 'http://127.0.0.1:9',
    credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
    nodePath: process.execPath,
    meter: meter(),
    account: new Concurrency(10),
    ...more,
  };
  const pool = new Pool(options);
  pools.push(pool);
  return { pool, options };
}

describe('a function', () => {
  it('answers from a process of its own, which is reused', async () => {
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

  it("has its own environment and none of the cloud's", async () => {
    process.env.SECRET_OF_OURS = 'x';
    const { pool } = await poolOf(
      'const { GREETING, SECRET_OF_OURS = null, AWS_REGION, AWS_SESSION_TOKEN, AWS_LAMBDA_FUNCTION_NAME } = process.env; export const handler = () => [GREETING, SECRET_OF_OURS, AWS_REGION, AWS_SESSION_TOKEN, AWS_LAMBDA_FUNCTION_NAME];',
    );
    expect(await pool.invoke({})).toEqual({ ok: true, payload: '["hello",null,"us-east-1","t","fn"]' });
  });

  it("has the template's runtime in its environment, whichever Node runs it", async () => {
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

  it('that exceeds its timeout is killed, and the next invocation starts a new process', async () => {
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

  it('whose module does not load answers with the reason', async () => {
    const { pool } = await poolOf("throw new Error('TABLE_NAME is missing');");
    expect(await pool.invoke({})).toMatchObject({ ok: false, error: { errorMessage: 'TABLE_NAME is missing' } });
  });

  const SLOW = 'export const handler = () => new Promise((resolve) => setTimeout(() => resolve("done"), 200));';
  const refusals = (outcomes: PromiseSettledResult<unknown>[]) =>
    outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));

  it('is throttled when the account has no concurrency left', async () => {
    const account = new Concurrency(3);
    const { pool: one } = await poolOf(SLOW, {}, { account });
    const { pool: other } = await poolOf(SLOW, {}, { account });
    const outcomes = await Promise.allSettled([one, other, one, other, one].map((pool) => pool.invoke({})));
    expect(refusals(outcomes)).toEqual(['AwsError: Rate Exceeded.', 'AwsError: Rate Exceeded.']);
    expect(await one.invoke({})).toEqual({ ok: true, payload: '"done"' });
  });

  it('with reserved concurrency has that, and the others have the rest', async () => {
    const account = new Concurrency(1);
    const { pool: own } = await poolOf(SLOW, { reserved: 2 }, { account });
    const { pool: other } = await poolOf(SLOW, {}, { account });
    const outcomes = await Promise.allSettled([own, own, own, other].map((pool) => pool.invoke({})));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('has the time of its cloud', async () => {
    const clock = new Clock();
    const { pool } = await poolOf(
      'export const handler = () => [Date.now(), new Date().getTime()];',
      {},
      {
        context: { dir: directory, clock, log: () => {} },
      },
    );
    clock.advance(86_400_000);
    const outcome = await pool.invoke({});
    const times = JSON.parse(outcome.ok ? outcome.payload : '[]') as number[];
    for (const time of times) expect(Math.abs(time - clock.now())).toBeLessThan(5000);
  });
});
