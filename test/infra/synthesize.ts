import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { readConfiguration } from '../../lib/configuration.ts';
import { DropreelStack, stackNameOf } from '../../lib/dropreel-stack.ts';

export const FUNCTIONS = [
  'ingest-upload',
  'track-job',
  'publish-output',
  'announce-change',
  'sweep',
  'api',
  'fan-out-change',
  'deliver-webhook',
  'serve-pages',
];

/** The app as cdk.json configures it, changed by `overrides`, over bundles that hold nothing. */
export async function synthesize(overrides: Record<string, unknown> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'dropreel-infra-'));
  try {
    const dist = join(directory, 'dist');
    for (const name of FUNCTIONS) await mkdir(join(dist, 'functions', name), { recursive: true });
    for (const name of FUNCTIONS) await writeFile(join(dist, 'functions', name, 'index.mjs'), '');
    await mkdir(join(dist, 'transcoder'));
    await writeFile(join(dist, 'transcoder', 'Dockerfile'), 'FROM scratch\n');
    const app = new App({ context: cdkJson.context, outdir: join(directory, 'cdk.out'), analyticsReporting: false });
    const configuration = readConfiguration({ ...cdkJson.context.dropreel, ...overrides });
    const stack = new DropreelStack(app, stackNameOf(configuration), { configuration, dist });
    const template = Template.fromStack(stack);
    const assets = await readFile(join(directory, 'cdk.out', `${stack.artifactId}.assets.json`), 'utf8');
    const { dockerImages } = JSON.parse(assets) as { dockerImages: Record<string, { source: object }> };
    /** How each image is built. */
    const images = Object.values(dockerImages).map(({ source }) => source);
    return { app, template, images, stackName: stack.stackName };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The logical id and the properties of one function. */
export function functionNamed(template: Template, name: string) {
  const [found] = Object.entries(
    template.findResources('AWS::Lambda::Function', {
      Properties: { Environment: { Variables: { POWERTOOLS_SERVICE_NAME: name } } },
    }),
  );
  if (!found) throw new Error(`The template has no function ${name}`);
  const [logicalId, { Properties }] = found;
  return { logicalId, properties: Properties };
}

export interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
  Principal?: unknown;
}

/** Every statement of every role, with the role's logical id. */
export function roleStatements(template: Template): { role: string; statement: Statement }[] {
  const own = Object.entries(template.findResources('AWS::IAM::Role')).flatMap(([role, { Properties }]) =>
    policiesOf(Properties.Policies).map((statement) => ({ role, statement })),
  );
  const attached = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
    policiesOf([Properties]).map((statement) => ({ role: String(Properties.Roles[0].Ref), statement })),
  );
  return [...own, ...attached];
}

function policiesOf(policies: { PolicyDocument: { Statement: Statement[] } }[] = []): Statement[] {
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}
