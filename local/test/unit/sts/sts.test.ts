import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createCredentials } from '../../../iam/credentials.ts';
import { createPolicies } from '../../../iam/policies.ts';
import { AwsError, type Principal } from '../../../kernel/service.ts';
import { createSts } from '../../../services/sts/sts.ts';

const arnOf = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const CONTAINER: Principal = { type: 'role', arn: arnOf('container') };
const NOW = Date.UTC(2026, 10, 28);

async function boot() {
  const dir = await mkdtemp(join(tmpdir(), 'dropreel-sts-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const assume = { Effect: 'Allow', Action: 'sts:AssumeRole' };
  const mayTake = (...names: string[]) => [
    { name: 'p', document: { Statement: [{ ...assume, Resource: names.map(arnOf) }] } },
  ];
  const trust = { Statement: [{ ...assume, Principal: { AWS: arnOf('container') } }] };
  const foreign = { Statement: [{ ...assume, Principal: { Service: 'lambda.amazonaws.com' } }] };
  const policies = createPolicies({
    roles: [
      { arn: arnOf('container'), name: 'container', policies: mayTake('job', 'function') },
      { arn: arnOf('job'), name: 'job', trust, policies: [] },
      { arn: arnOf('other'), name: 'other', trust, policies: [] },
      { arn: arnOf('function'), name: 'function', trust: foreign, policies: [] },
    ],
  });
  const credentials = await createCredentials(dir);
  const sts = createSts({ now: () => NOW }, { credentials, policies });
  const ask = async (fields: Record<string, string>, principal = CONTAINER) => {
    const form = { Action: 'AssumeRole', Version: '2011-06-15', RoleSessionName: 'm-1', ...fields };
    const { body } = await sts.handle({
      requestId: 'r',
      method: 'POST',
      path: '/',
      query: new URLSearchParams(),
      headers: {},
      body: Readable.from([Buffer.from(new URLSearchParams(form).toString())]),
      principal,
      authorize(check) {
        const { allowed, reason } = policies.decide(principal, check);
        if (!allowed) throw new AwsError('AccessDenied', 403, reason);
      },
    });
    const field = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(String(body))?.[1] ?? '';
    return { field, known: credentials.lookup(field('AccessKeyId'), field('SessionToken')) };
  };
  return { ask };
}

test("credentials of a session are those of the role, with the session's policy and expiry", async () => {
  const { ask } = await boot();
  const policy = '{"Statement":[]}';

  const { field, known } = await ask({ RoleArn: arnOf('job'), Policy: policy, DurationSeconds: '900' });

  expect(field('Expiration')).toBe('2026-11-28T00:15:00.000Z');
  expect(field('Arn')).toBe('arn:aws:sts::123456789012:assumed-role/job/m-1');
  expect(known).toEqual({
    principal: { type: 'role', arn: arnOf('job'), session: { name: 'm-1', policy, expiresAt: NOW + 900_000 } },
    secretAccessKey: field('SecretAccessKey'),
  });
});

test.each<[what: string, fields: Record<string, string>, code: string]>([
  ['a role that the caller may not take', { RoleArn: arnOf('other') }, 'AccessDenied'],
  ['a role that does not trust the caller', { RoleArn: arnOf('function') }, 'AccessDenied'],
  ['a role that is not there', { RoleArn: arnOf('none') }, 'AccessDenied'],
  ['more than an hour for a role', { RoleArn: arnOf('job'), DurationSeconds: '3601' }, 'ValidationError'],
  ['less than a quarter of an hour', { RoleArn: arnOf('job'), DurationSeconds: '899' }, 'ValidationError'],
  ['a policy that is too long', { RoleArn: arnOf('job'), Policy: JSON.stringify('x'.repeat(2048)) }, 'ValidationError'],
  ['a policy with other characters', { RoleArn: arnOf('job'), Policy: '"日本"' }, 'ValidationError'],
  ['a policy that is not JSON', { RoleArn: arnOf('job'), Policy: 'no' }, 'ValidationError'],
])('%s is refused', async (_, fields, code) => {
  const { ask } = await boot();
  await expect(ask(fields)).rejects.toMatchObject({ code });
});
