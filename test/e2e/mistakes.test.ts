import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EditableTemplate, editedAssembly, statementsOf } from '../support/assembly.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { drop, makeClip, readMedia } from '../support/pipeline.ts';

let folder: string;
let sound: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-mistakes-'));
  sound = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=1');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Boots the app with a mistake in its template and drops a sound; resolves with the first line of the log that matches. */
async function firstWord(edit: (template: EditableTemplate) => void, pattern: RegExp): Promise<string> {
  await using assembly = await editedAssembly(edit);
  await using booted = await testCloud({ assembly: assembly.directory });
  await drop(booted.cloud, 'drop/ann/default/tone.mp3', { file: sound });
  // Awaited here: the cloud must outlive the wait.
  return await eventually(`a line like ${pattern}`, async () => booted.log.find((line) => pattern.test(line)), 40_000);
}

describe('a local run reports a mistake in the template, with the resource', () => {
  it('a policy that is too narrow: with role, action and object', async () => {
    const line = await firstWord((template) => {
      const read = statementsOf(template, 'IngestIngestUploadRole').find(({ Action }) =>
        Action.includes('s3:GetObject'),
      );
      read?.narrow('/drop/*', '/dropped/*');
    }, /not authorized/);
    expect(line).toMatch(/^iam: User: arn:aws:sts::123456789012:assumed-role\/dropreel-ingestingestuploadrole/);
    expect(line).toMatch(/perform: s3:GetObject on resource: "arn:aws:s3:::[^"]+\/drop\/ann\/default\/tone\.mp3"/);
  });

  it('a misspelled environment name: with the function and the missing name', async () => {
    const line = await firstWord((template) => {
      const [, ingest] = template.find('AWS::Lambda::Function', 'IngestIngestUploadFunction');
      const { Variables } = ingest.Properties.Environment as { Variables: Record<string, unknown> };
      Variables.TABEL_NAME = Variables.TABLE_NAME;
      delete Variables.TABLE_NAME;
    }, /environment is wrong/);
    expect(line).toMatch(/^dropreel-ingestingestuploadfunction/);
    expect(line).toMatch(/TABLE_NAME/);
  });

  it('an invalid event pattern: with the rule, at boot', async () => {
    await using assembly = await editedAssembly((template) => {
      const [, rule] = template.find('AWS::Events::Rule', 'IngestObjectCreated');
      rule.Properties.EventPattern = { source: ['aws.s3'], detail: { object: { key: [{ prefx: 'drop/' }] } } };
    });
    await expect(testCloud({ assembly: assembly.directory })).rejects.toThrow(/IngestObjectCreated[\s\S]*prefx/);
  });

  it('an event pattern that matches nothing: with the event that no rule takes', async () => {
    const line = await firstWord((template) => {
      const [, rule] = template.find('AWS::Events::Rule', 'IngestObjectCreated');
      rule.Properties.EventPattern = { source: ['aws.s4'], 'detail-type': ['Object Created'] };
    }, /no rule/);
    expect(line).toContain('no rule matches aws.s3 "Object Created"');
    expect(line).toMatch(/the rules of bus default: .*dropreel-ingestobjectcreated/);
  });
});

it('a local run without a mistake accepts the same drop', async () => {
  await using booted = await testCloud();
  const id = await drop(booted.cloud, 'drop/ann/default/tone.mp3', { file: sound });
  await eventually('it is known', async () => (await readMedia(booted.cloud, id)) !== undefined);
});
