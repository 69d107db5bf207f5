import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { type Configuration, readConfiguration } from '../../lib/configuration.ts';
import { DropreelStack, stackNameOf } from '../../lib/dropreel-stack.ts';

/**
 * The app synthesized over dist/ with `more` in its configuration, and an empty state directory beside it; gone with
 * `await using`.
 * @param instead of what was read: for what no deployment may name, as an issuer without TLS
 */
export async function configuredApp(more: Record<string, unknown>, instead: Partial<Configuration> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-configured-'));
  const [assembly, stateDir] = [join(directory, 'cdk.out'), join(directory, 'state')];
  const app = new App({ context: cdkJson.context, outdir: assembly, analyticsReporting: false });
  const configuration = { ...readConfiguration({ ...cdkJson.context.dropreel, ...more }), ...instead };
  new DropreelStack(app, stackNameOf(configuration), { configuration, dist: resolve('dist') });
  app.synth();
  await mkdir(stateDir);
  return { assembly, stateDir, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
