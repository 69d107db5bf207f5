import { chmodSync, chownSync } from 'node:fs';
import { execa } from 'execa';
import { ENVIRONMENT, type Tools } from './ffmpeg/run.ts';
import { log } from './log.ts';

/**
 * The two users of the image, by number: the worker, which holds the credentials, and FFmpeg's, which does not. The Dockerfile
 * makes them. docs/decisions/0103-second-user.md
 */
export const WORKER_ID = 59801;
export const MEDIA_ID = 59802;

/** Set by the image only. */
const IN_IMAGE = 'DROPREEL_IMAGE';

/** The root capabilities that the worker keeps: to start programs as the other user, to drop their privileges, and to end them. */
const KEPT = ['setuid', 'setgid', 'setpcap', 'kill'].map((name) => `+${name}`).join(',');

const AS_WORKER = [
  ...[`--reuid=${WORKER_ID}`, `--regid=${WORKER_ID}`, `--groups=${MEDIA_ID}`],
  ...[`--inh-caps=-all,${KEPT}`, `--ambient-caps=-all,${KEPT}`, `--bounding-set=-all,${KEPT}`],
];

/** No privilege is left, and none can be regained. */
const AS_MEDIA = [
  ...[`--reuid=${MEDIA_ID}`, `--regid=${MEDIA_ID}`, '--clear-groups'],
  ...['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs'],
];

type Execve = (file: string, args: string[], environment: NodeJS.ProcessEnv) => never;

/**
 * In the image, where the worker starts as root: becomes the worker's user by executing this program anew in the same process. The
 * scratch disk is mounted as root's. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
 */
export function becomeWorker(scratchDirectory: string): void {
  if (process.env[IN_IMAGE] === undefined || process.getuid?.() !== 0) return;
  chownSync(scratchDirectory, WORKER_ID, MEDIA_ID);
  chmodSync(scratchDirectory, 0o710);
  // Node has it since 22.15 and 23.11, so the image's has it. No parent process is left as root.
  const execve = (process as unknown as { execve: Execve }).execve;
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  execve('/usr/bin/setpriv', ['setpriv', ...AS_WORKER, '--', ...command], process.env);
}

/**
 * The tools with FFmpeg's user where there can be one: in the image, and for root on Linux. Elsewhere FFmpeg's programs run as this user,
 * with nothing of its environment.
 * @throws Error in the image when there cannot be one
 */
export async function withSecondUser(tools: Tools): Promise<Tools> {
  const inImage = process.env[IN_IMAGE] !== undefined;
  if (!inImage && process.getuid?.() !== 0) return tools;
  const second: Tools = { ...tools, prefix: ['setpriv', ...AS_MEDIA, '--'], mediaId: MEDIA_ID, alone: inImage };
  const { failed, message } = await execa('setpriv', [...AS_MEDIA, '--', tools.ffmpeg, '-version'], {
    reject: false,
    stdio: 'ignore',
    extendEnv: false,
    env: ENVIRONMENT,
  });
  if (!failed) return second;
  if (inImage) throw new Error(`FFmpeg cannot run as user ${MEDIA_ID}: ${message}`);
  log('warn', 'FFmpeg runs as the same user as the worker', { why: message });
  return tools;
}
