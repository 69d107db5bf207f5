import { chmod, readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { DropreelError } from '../../core/contracts/errors.ts';
import { ENVIRONMENT, type Tools } from './ffmpeg/run.ts';

/** Lets FFmpeg's user write in a directory that the worker reads afterwards. */
export async function letWrite({ mediaId }: Tools, directory: string): Promise<void> {
  if (mediaId !== undefined) await chmod(directory, 0o770);
}

/**
 * Takes the directory back: ends the processes that FFmpeg's user has left running, closes the directory to it, and throws for anything
 * that is not a plain file. Through a link there, the worker would read and publish what only the worker can read: /proc/self/environ.
 */
export async function takeOver(tools: Tools, directory: string): Promise<void> {
  const { prefix, mediaId, alone } = tools;
  if (prefix === undefined || mediaId === undefined) return;
  await chmod(directory, 0o750);
  // -1: every process that this user may end. Processes of others with the same user id would end too.
  const [program = '', ...rest] = [...prefix, 'sh', '-c', 'kill -KILL -1'];
  if (alone) await execa(program, rest, { reject: false, stdio: 'ignore', extendEnv: false, env: ENVIRONMENT });
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const odd = entries.find((entry) => !entry.isFile() && !entry.isDirectory());
  if (odd) throw new DropreelError('encode_failed', `FFmpeg left ${odd.name}, which is not a file.`);
}
