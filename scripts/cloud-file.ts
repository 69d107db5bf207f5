import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRunning, thisProcess } from '../local/boot/lock.ts';
import type { Cloud } from '../local/boot.ts';
import { REGION } from '../local/kernel/account.ts';

/** Where the command finds the cloud that runs in this directory. */
export const CLOUD_FILE = '.dropreel/cloud.json';

/**
 * Writes where a running cloud is and the developer's credentials, readable by the user only.
 * @returns a function that removes the file; undefined when the file names a cloud that runs: the first one keeps it
 */
export async function announce(cloud: Cloud, file = CLOUD_FILE): Promise<(() => Promise<void>) | undefined> {
  const { endpoint, apiUrl, deliveryUrl, credentials, outputs, stateDir } = cloud;
  const owner = await thisProcess();
  const found = await ownerOf(file);
  if (found !== undefined && found !== owner && (await isRunning(found))) return undefined;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const issuerUrl = cloud.issuer?.url ?? null;
  const where = { endpoint, apiUrl, deliveryUrl, issuerUrl, stateDir };
  const text = JSON.stringify({ process: owner, ...where, credentials, outputs }, null, 2);
  const aside = `${file}.${process.pid}`;
  await rm(aside, { force: true });
  await writeFile(aside, text, { mode: 0o600, flag: 'wx' });
  await rename(aside, file);
  return async () => {
    if ((await ownerOf(file)) === owner) await rm(file, { force: true });
  };
}

/** Undefined when there is no such file, or it is damaged. */
async function ownerOf(file: string): Promise<string | undefined> {
  try {
    const { process: owner } = JSON.parse(await readFile(file, 'utf8'));
    return typeof owner === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Lines for a shell, after which every AWS client uses the local cloud. */
export function exportBlock({ endpoint, credentials }: Pick<Cloud, 'endpoint' | 'credentials'>): string {
  return [
    // A shell's settings for another account would be combined with them, or override them.
    'unset AWS_PROFILE AWS_SESSION_TOKEN',
    `export AWS_ACCESS_KEY_ID=${credentials.accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
    `export AWS_REGION=${REGION} AWS_DEFAULT_REGION=${REGION}`,
    `export AWS_ENDPOINT_URL=${endpoint}`,
  ].join('\n');
}
