/** The CDK app: configuration → stack. Run by `cdk`, or by itself: `node --import tsx bin/dropreel.ts`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfiguration } from '../lib/configuration.ts';
import { DropreelStack } from '../lib/dropreel-stack.ts';

const root = join(import.meta.dirname, '..');
// The cdk command passes this context itself; without it, the app reads the same file.
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };

// Until every function is written: the stack is whole, and a missing one throws when it is called.
for (const name of [
  'ingest-upload',
  'track-job',
  'publish-output',
  'announce-change',
  'sweep',
  'api',
  'deliver-webhook',
]) {
  const bundle = join(root, 'dist/functions', name);
  if (existsSync(bundle)) continue;
  mkdirSync(bundle, { recursive: true });
  writeFileSync(
    join(bundle, 'index.mjs'),
    `export const handler = async () => { throw new Error('${name} is not written yet'); };`,
  );
}
if (!existsSync(join(root, 'dist/transcoder/Dockerfile'))) {
  mkdirSync(join(root, 'dist/transcoder'), { recursive: true });
  writeFileSync(join(root, 'dist/transcoder/Dockerfile'), 'FROM scratch\n');
}

try {
  const app = new App({ context, outdir: process.env.CDK_OUTDIR ?? 'cdk.out', analyticsReporting: false });
  const configuration = readConfiguration(app.node.tryGetContext('dropreel'));
  new DropreelStack(app, 'Dropreel', { configuration, dist: join(root, 'dist') });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
