import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { readConfiguration } from '../../lib/configuration.ts';
import { DropreelStack } from '../../lib/dropreel-stack.ts';

const SECRET = 'dropreel/playback';

/** The app synthesized with a key pair for private playback, over dist/, and a state directory that knows the private half. */
export async function keyedApp(): Promise<{ assembly: string; stateDir: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-keyed-'));
  const [assembly, stateDir] = [join(directory, 'cdk.out'), join(directory, 'state')];
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const app = new App({ context: cdkJson.context, outdir: assembly, analyticsReporting: false });
  const key = { playbackPublicKeyPem: publicKey, playbackPrivateKeySecret: SECRET };
  const configuration = readConfiguration({ ...cdkJson.context.dropreel, ...key });
  new DropreelStack(app, 'Dropreel', { configuration, dist: resolve('dist') });
  app.synth();
  await mkdir(stateDir);
  await writeFile(join(stateDir, 'secrets.json'), JSON.stringify({ [SECRET]: privateKey }));
  return { assembly, stateDir, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
