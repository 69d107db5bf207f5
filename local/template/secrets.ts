import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { TemplateError } from './errors.ts';

/** The texts of secrets by name. */
export type Secrets = Readonly<Record<string, string>>;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html */
const REFERENCE = /\{\{resolve:secretsmanager:([^:}]+):SecretString:::\}\}/g;

/** Reads the local Secrets Manager: a file of names and texts as JSON. None when it is not there. */
export async function readSecrets(file: string): Promise<Secrets> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return z.record(z.string(), z.string()).parse(JSON.parse(text));
}

/** The value with its references to secrets replaced, as CloudFormation does when it deploys. @throws TemplateError */
export function revealSecrets(value: unknown, secrets: Secrets): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_, name: string) => {
      const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (secret === undefined)
        throw new TemplateError(`there is no secret ${name} in secrets.json of the state directory`);
      return secret;
    });
  }
  if (Array.isArray(value)) return value.map((item) => revealSecrets(item, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealSecrets(item, secrets)]));
}
