import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Cloud } from '../../local/boot.ts';
import { HTTP_ENGINE, startHttpEndpoint } from '../../scripts/http-endpoint.ts';
import { type LocalCloud, targetOf } from '../../scripts/verify/local.ts';
import { CHECKS, type Finding, verify } from '../../scripts/verify/verify.ts';
import { EditableTemplate, statementsOf } from '../support/assembly.ts';
import { testCloud } from '../support/cloud.ts';
import { keyedApp } from '../support/keyed-app.ts';

/** Each is two encodes. DROPREEL_ODD_CLIPS=8 tries all of them. */
const ODD_CLIPS = Number(process.env.DROPREEL_ODD_CLIPS ?? 2);

type BootOptions = Parameters<typeof testCloud>[0];

let app: Awaited<ReturnType<typeof keyedApp>>;
beforeAll(async () => {
  app = await keyedApp({ gpuEngine: { maxVcpus: 8 }, httpEngine: HTTP_ENGINE, mediaConvert: true });
});
afterAll(() => app[Symbol.asyncDispose]());

/** Changes the synthesized template, runs the checks named on it, and puts it back. */
async function verified(
  names: string[],
  {
    edit,
    boot,
    patience,
    prepare = () => {},
    say = () => {},
  }: {
    edit?: (assembly: string) => Promise<void>;
    boot?: BootOptions;
    patience?: () => number;
    prepare?: (cloud: Cloud) => void;
    say?: (line: string) => void;
  } = {},
): Promise<Finding[]> {
  const assembly = `${app.assembly}-edited`;
  await cp(app.assembly, assembly, { recursive: true });
  await edit?.(assembly);
  const stateDir = `${app.stateDir}-${names.join('-')}`;
  await cp(app.stateDir, stateDir, { recursive: true });
  const { endpoint, beside } = await startHttpEndpoint(stateDir, { nodePath: process.env.DROPREEL_NODE });
  try {
    const environment = { ...beside.environment, ...boot?.environment };
    const more = { ...boot, ...beside, environment };
    await using booted = await testCloud({ assembly, stateDir, ...more });
    const { cloud } = booted;
    prepare(cloud);
    const known: LocalCloud = { ...cloud, issuerUrl: cloud.issuer?.url ?? '' };
    const target = await targetOf(known, {
      oddClips: ODD_CLIPS,
      hurry: () => cloud.fireSchedule('sweep'),
      passGrace: () => cloud.clock.advance(17 * 60_000),
    });
    if (patience) Object.defineProperty(target, 'patience', { get: patience });
    const checks = CHECKS.filter(({ name }) => names.includes(name));
    return await verify(target, checks, () => {}, say);
  } finally {
    await endpoint.close();
    await rm(assembly, { recursive: true });
  }
}

async function editTemplate(assembly: string, edit: (template: EditableTemplate) => void): Promise<void> {
  const file = join(assembly, 'Dropreel.template.json');
  const template = JSON.parse(await readFile(file, 'utf8'));
  edit(new EditableTemplate(template.Resources));
  await writeFile(file, JSON.stringify(template));
}

/** Takes what the pattern matches out of every function's bundle that has it. @throws Error when none has */
async function takeFromBundles(assembly: string, pattern: RegExp): Promise<void> {
  const { files } = JSON.parse(await readFile(join(assembly, 'Dropreel.assets.json'), 'utf8')) as {
    files: Record<string, { source: { path: string; packaging: string } }>;
  };
  let taken = 0;
  for (const { source } of Object.values(files).filter((one) => one.source.packaging === 'zip')) {
    const file = join(assembly, source.path, 'index.mjs');
    const text = await readFile(file, 'utf8');
    if (!pattern.test(text)) continue;
    await writeFile(file, text.replace(pattern, ''));
    taken += 1;
  }
  if (taken === 0) throw new Error(`no bundle has ${pattern}`);
}

const results = (findings: Finding[]) => Object.fromEntries(findings.map(({ check, result }) => [check, result]));

/** The receiver of webhooks listens on this machine. */
const LOOPBACK = { environment: { WEBHOOK_ALLOW_LOOPBACK: 'true' } };

it('every check of a deployment passes on the local cloud, and nothing is left behind', async () => {
  const findings = await verified(
    CHECKS.map(({ name }) => name),
    // What does not hold is to be named before the test's own limit.
    { boot: LOOPBACK, patience: () => 1 / 5 },
  );
  expect(findings.filter(({ result }) => result !== 'holds')).toEqual([]);
  expect(results(findings)).toEqual({
    alarms: 'holds',
    playback: 'holds',
    retranscode: 'holds',
    webhooks: 'holds',
    engines: 'holds',
    mediaconvert: 'holds',
    'private-playback': 'holds',
    reclaim: 'holds',
    'clean-up': 'holds',
  });
}, 600_000);

it('the check of engines says what they cost first, and fails where one of them does', async () => {
  const said: string[] = [];
  const [engines] = await verified(['engines'], {
    prepare: ({ mediaconvert }) => mediaconvert.mishap({ type: 'error', code: 1010, message: 'no parser' }),
    say: (line) => said.push(line),
  });
  expect(said[1]).toMatch(
    /^engines: batch-cpu, batch-gpu, http, mediaconvert, for \$0\.00[1-9]\d+ by their estimates$/,
  );
  expect(engines).toMatchObject({
    check: 'engines',
    result: 'fails',
    detail: expect.stringMatching(
      /^mediaconvert: The media item [a-z2-7]+ failed with failed, unsupported_codec: .* error 1010: no parser$/,
    ),
  });
}, 300_000);

it('the check of alarms fails without the statement that lets CloudWatch publish', async () => {
  const edit = (assembly: string) =>
    editTemplate(assembly, (template) => {
      const [, policy] = template.find('AWS::SNS::TopicPolicy', 'Monitoring');
      const document = policy.Properties.PolicyDocument as { Statement: { Effect: string }[] };
      document.Statement = document.Statement.filter(({ Effect }) => Effect === 'Deny');
    });
  const [alarms] = await verified(['alarms'], { edit, boot: { unheardAlarms: 'log' }, patience: () => 1 / 60 });
  expect(alarms).toMatchObject({
    check: 'alarms',
    result: 'fails',
    detail: expect.stringMatching(/^the alarm dropreel-bad-key reaches the topic .*: not within 2 s$/),
  });
});

it('the check of playback fails without the permission to submit jobs', async () => {
  const edit = (assembly: string) =>
    editTemplate(assembly, (template) => {
      const submits = statementsOf(template, 'IngestIngestUploadRole').filter(({ Action }) =>
        Action.includes('batch:SubmitJob'),
      );
      expect(submits).not.toEqual([]);
      for (const statement of submits) statement.remove();
    });
  const [playback] = await verified(['playback'], { edit, patience: () => 1 / 100 });
  expect(playback).toMatchObject({
    check: 'playback',
    result: 'fails',
    detail: expect.stringMatching(/^the media item [a-z2-7]+ is ready: not within 12 s \(it is uploaded\)$/),
  });
});

it('the check of encoding fails without a scheduling priority', async () => {
  const edit = (assembly: string) => takeFromBundles(assembly, /schedulingPriorityOverride:[\w.]+/);
  const [retranscode] = await verified(['retranscode'], { edit, patience: () => 1 / 100 });
  expect(retranscode).toMatchObject({
    check: 'retranscode',
    result: 'fails',
    detail: expect.stringMatching(/^the media item [a-z2-7]+ is ready: not within 12 s \(it is uploaded\)$/),
  });
});

it('the check of webhooks fails where a function may not send messages to itself', async () => {
  const edit = (assembly: string) =>
    editTemplate(assembly, (template) => {
      for (const { Type, Properties } of Object.values(template.resources)) {
        if (Type === 'AWS::Lambda::Function') delete Properties.RecursiveLoop;
      }
    });
  const [webhooks] = await verified(['webhooks'], { edit });
  expect(webhooks).toMatchObject({
    check: 'webhooks',
    result: 'fails',
    detail: expect.stringMatching(/has RecursiveLoop Terminate: Lambda ends its retries after 16 of them\.$/),
  });
});

it('the check of webhooks fails without their signature', async () => {
  const edit = (assembly: string) => takeFromBundles(assembly, /"webhook-signature":\w+\.join\(" "\)/);
  const [webhooks] = await verified(['webhooks'], { edit, boot: LOOPBACK });
  expect(webhooks).toMatchObject({
    check: 'webhooks',
    result: 'fails',
    detail: expect.stringMatching(/^The signature of a webhook does not hold: /),
  });
});
