/** Builds the bundles and synthesizes the CDK app into cdk.out/. */
import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import cdkJson from '../cdk.json' with { type: 'json' };
import { buildAll } from './build.ts';
import { hashOfInputs, hashOfTemplate } from './inputs.ts';

/** What the last build and synthesis here were made of. A build removes it first. */
const STAMP = 'dist/.inputs';

/**
 * @param say receives a line for people
 * @param options `more` is added to the configuration of cdk.json
 * @throws with the CDK app's own message when the synthesis fails
 */
export async function synthesize(
  say: (line: string) => void,
  { outdir = 'cdk.out', more }: { outdir?: string; more?: Record<string, unknown> } = {},
): Promise<string> {
  say('building the functions, the worker, the console and the player');
  await buildAll();
  say('synthesizing the CDK app (cdk.out/)');
  const { failed, stderr } = await execa('node', ['--import', 'tsx', 'bin/dropreel.ts'], {
    env: {
      CDK_OUTDIR: outdir,
      // Takes precedence over the context of cdk.json.
      ...(more && { CDK_CONTEXT_JSON: JSON.stringify({ dropreel: { ...cdkJson.context.dropreel, ...more } }) }),
      JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION: '1',
    },
    reject: false,
  });
  if (failed) throw new Error(`The CDK app could not be synthesized.\n${stderr}`);
  return outdir;
}

/**
 * The same, unless nothing has changed since the last time.
 * @throws as `synthesize`
 */
export async function synthesizeIfChanged(say: (line: string) => void): Promise<string> {
  const inputs = await hashOfInputs('.');
  const stamp = await readFile(STAMP, 'utf8').catch(() => '');
  if (stamp === `${inputs} ${await hashOfTemplate('.')}`) return 'cdk.out';
  const assembly = await synthesize(say);
  await writeFile(STAMP, `${inputs} ${await hashOfTemplate('.')}`);
  return assembly;
}

if (import.meta.filename === process.argv[1]) {
  await synthesize((line) => process.stderr.write(`${line}\n`));
}
