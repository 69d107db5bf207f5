/** The CDK app: configuration → stack. Run by `cdk`, or by itself: `node --import tsx bin/dropreel.ts`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfiguration } from '../lib/configuration.ts';
import { DropreelStack, stackNameOf } from '../lib/dropreel-stack.ts';

const root = join(import.meta.dirname, '..');
// The cdk command passes this context itself; without it, the app reads the same file.
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };

try {
  const app = new App({ context, outdir: process.env.CDK_OUTDIR ?? 'cdk.out', analyticsReporting: false });
  const configuration = readConfiguration(app.node.tryGetContext('dropreel'));
  new DropreelStack(app, stackNameOf(configuration), { configuration, dist: join(root, 'dist') });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
