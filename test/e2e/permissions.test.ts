import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Grant } from '../../local/iam/policies.ts';
import { NEEDED_UNSEEN } from '../../scripts/template/unused-grants.ts';
import { editedAssembly, statementsOf } from '../support/assembly.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { drop, makeClip } from '../support/pipeline.ts';
import { representativeRun } from '../support/representative-run.ts';

let grants: Grant[];
let folder: string;
let sound: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-permissions-'));
  sound = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=1');
  grants = await representativeRun(() => {});
}, 900_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const nameOf = ({ roleArn, statement, action }: Grant) => `${roleArn.split('/').at(-1)} ${statement} ${action}`;

describe('a role', () => {
  it('is granted no action that a whole run does not use, except for those with a reason', () => {
    const unused = grants.filter((grant) => {
      return (
        !grant.used &&
        !NEEDED_UNSEEN.some(({ role, action }) => grant.action === action && grant.roleArn.includes(role))
      );
    });
    expect(grants.length).toBeGreaterThan(80);
    expect(unused.map(nameOf)).toEqual([]);
  });

  it('has no statement that no call needs, except for those with a reason', () => {
    const statements = new Map<string, Grant[]>();
    for (const grant of grants) {
      const name = `${grant.roleArn.split('/').at(-1)} ${grant.policy} ${grant.statement}`;
      statements.set(name, [...(statements.get(name) ?? []), grant]);
    }
    const idle = [...statements.values()].filter((of) => of.every(({ used }) => !used)).flat();
    const unexplained = idle.filter(
      ({ roleArn, action }) =>
        !NEEDED_UNSEEN.some((needed) => needed.action === action && roleArn.includes(needed.role)),
    );
    expect(unexplained.map(nameOf)).toEqual([]);
  });
});

describe('a run without a statement reports the denied role, action and resource', () => {
  it.each([
    ['IngestIngestUploadRole', 'batch:SubmitJob', /ingestuploadrole.*batch:SubmitJob on resource: "arn:aws:batch:/],
    [
      'IngestIngestUploadRole',
      'dynamodb:PutItem',
      /ingestuploadrole.*dynamodb:GetItem on resource: "arn:aws:dynamodb:/,
    ],
    ['TrackTrackJobRole', 's3:GetObject', /trackjobrole.*s3:GetObject on resource: "arn:aws:s3:::.*\/tmp\/.*\.json"/],
    ['TrackTrackJobRole', 'sqs:SendMessage', /trackjobrole.*sqs:SendMessage on resource: "arn:aws:sqs:.*publish/],
    [
      'EncodeTranscoderJobRole',
      's3:GetObjectVersion',
      /jobrole.*s3:GetObjectVersion on resource: "arn:aws:s3:::.*tone/,
    ],
    [
      'EncodeTranscoderJobRole',
      's3:PutObject',
      /jobrole.*s3:PutObject on resource: "arn:aws:s3:::.*\/tmp\/.*claim\.json"/,
    ],
    ['PublishPublishOutputRole', 's3:PutObject', /publishoutputrole.*s3:(Get|Put)Object on resource: "arn:aws:s3:::/],
    [
      'WebhooksAnnounceChangeRole',
      'events:PutEvents',
      /announcechangerole.*events:PutEvents on resource: "arn:aws:events:/,
    ],
  ])('%s without %s', async (role, action, told) => {
    await using assembly = await editedAssembly((template) => {
      const found = statementsOf(template, role).filter(({ Action }) => Action.includes(action));
      expect(found.length).toBeGreaterThan(0);
      for (const statement of found) statement.remove();
    });
    await using booted = await testCloud({ assembly: assembly.directory });
    await drop(booted.cloud, 'drop/ann/default/tone.mp3', { file: sound });
    const line = await eventually(`denied: ${action}`, async () => booted.log.find((each) => told.test(each)), 50_000);
    expect(line).toMatch(/^iam: User: .* is not authorized to perform: /);
  });
});
