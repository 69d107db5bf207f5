import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RESOURCE_TYPES } from '../plugins.ts';
import { parseTemplate, type RawTemplate } from '../template/assembly.ts';
import { describeUpdate } from '../template/replacement.ts';

const fileIn = (stateDir: string) => join(stateDir, 'template.json');

/**
 * Logs what CloudFormation would do to an installation that has the state's last template and gets this one.
 * The local cloud itself continues with its state.
 */
export async function tellUpdate(stateDir: string, template: RawTemplate, log: (line: string) => void): Promise<void> {
  const text = await readFile(fileIn(stateDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return;
  for (const line of describeUpdate(parseTemplate(JSON.parse(text)), template, RESOURCE_TYPES))
    log(`template: ${line}`);
}

export async function keepTemplate(stateDir: string, template: RawTemplate): Promise<void> {
  const file = fileIn(stateDir);
  await writeFile(`${file}.new`, JSON.stringify(template));
  await rename(`${file}.new`, file);
}
