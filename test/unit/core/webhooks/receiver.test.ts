import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecret } from '../../../../core/webhooks/secrets.ts';

/** The code in README.md that receivers copy. */
let verify: (secret: string, headers: Record<string, string>, body: string) => unknown;
let folder: string;

beforeAll(async () => {
  const text = await readFile('README.md', 'utf8');
  const code = /```js\n([\s\S]+?)```/.exec(text)?.[1] ?? '';
  folder = await mkdtemp(join(tmpdir(), 'dropreel-receiver-'));
  const file = join(folder, 'verify.mjs');
  await writeFile(file, code);
  ({ verify } = await import(pathToFileURL(file).href));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const secret = newSecret();
const body = '{"type":"media.ready","data":{"seq":3}}';

function signed(secrets: string[], at = new Date()): Record<string, string> {
  const signatures = secrets.map((one) => new Webhook(one).sign('evt_1', at, body));
  return {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  };
}

describe("the receiver's ten lines", () => {
  it('accept a request that is signed with the secret, also beside another', () => {
    expect(verify(secret, signed([secret]), body)).toEqual({ type: 'media.ready', data: { seq: 3 } });
    expect(verify(secret, signed([newSecret(), secret]), body)).toMatchObject({ type: 'media.ready' });
  });

  it.each([
    ['another secret', signed([newSecret()]), body],
    ['another body', signed([secret]), body.replace('3', '4')],
    ['another id', { ...signed([secret]), 'webhook-id': 'evt_2' }, body],
    ['another time', { ...signed([secret]), 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 9) }, body],
    ['an old message', signed([secret], new Date(Date.now() - 301_000)), body],
    ['no signature', { 'webhook-id': 'evt_1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) }, body],
    ['no headers', {}, body],
  ])('refuse %s', (_, headers, text) => {
    expect(() => verify(secret, headers, text)).toThrow(/too old|forged/);
  });
});
