import { execFileSync } from 'node:child_process';
import { chmod, copyFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_ID, WORKER_ID } from '../../containers/transcoder/users.ts';
import { temporaryDirectory } from '../support/media.ts';

const URI = '/credentials/0f5e6a1c-0000-4000-8000-5ec2e7c0ffee';

/** Why nothing can be tried here; empty where it can. */
function problem(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a second user needs Linux and root';
  try {
    execFileSync('setpriv', ['--reuid', String(MEDIA_ID), 'true'], { stdio: 'ignore' });
    return '';
  } catch {
    return 'setpriv cannot make a second user here';
  }
}
const PROBLEM = problem();
beforeAll(() => {
  if (PROBLEM) process.stderr.write(`second user: not tried, for ${PROBLEM}\n`);
});

/** What a taken-over FFmpeg sees of a worker that has its credentials from ECS, and which paths it asked the endpoint for. */
async function takeOver(who: 'second-user' | 'same-user') {
  await using dir = await temporaryDirectory();
  // As the state directory of a local cloud is: closed to others. What lies in it is reached from within.
  const program = join('/tmp', `evil-${crypto.randomUUID()}.mjs`);
  await copyFile('test/support/evil-ffmpeg.mjs', program);
  await chmod(program, 0o755);
  const asked: (string | undefined)[] = [];
  const endpoint = createServer((request, response) => {
    asked.push(request.url);
    response.end('{}');
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  try {
    const port = String((endpoint.address() as AddressInfo).port);
    const args = ['--import', 'tsx', 'test/support/second-user-worker.ts', program, join(dir.path, 'job'), port, who];
    const { stdout } = await execa('node', args, {
      env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: URI, AWS_SECRET_ACCESS_KEY: 'secret' },
    });
    return { ...JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), asked };
  } finally {
    endpoint.close();
    execFileSync('rm', ['-f', program]);
  }
}

describe.skipIf(PROBLEM)('FFmpeg as a second user', { timeout: 60_000 }, () => {
  it("cannot read the worker's environment, which contains the path of its credentials", async () => {
    const told = await takeOver('second-user');
    expect(told).toMatchObject({ uid: MEDIA_ID, environment: ['LC_ALL', 'PATH'], paths: [], asked: ['/'] });
  });

  it("cannot read the worker's memory, nor regain a privilege", async () => {
    const told = await takeOver('second-user');
    expect(told).toMatchObject({ memory: 'EACCES', becomeRoot: 'EPERM' });
  });

  it('is ended by the worker, which then refuses a planted link', async () => {
    const told = await takeOver('second-user');
    expect(told).toMatchObject({ endedBy: 'SIGKILL', taken: 'FFmpeg left picture.jpg, which is not a file.' });
  });

  it("is the only obstacle: as the worker's user the same program requests the credentials", async () => {
    const told = await takeOver('same-user');
    expect(told).toMatchObject({ uid: 0, environment: ['LC_ALL', 'PATH'], paths: [URI], asked: ['/', URI] });
  });
});

describe('the image', () => {
  it('creates the user of the worker and that of its programs', async () => {
    const dockerfile = await readFile('containers/transcoder/Dockerfile', 'utf8');
    expect(dockerfile).toContain(`useradd --system --uid ${WORKER_ID} --user-group --no-create-home worker`);
    expect(dockerfile).toContain(`useradd --system --uid ${MEDIA_ID} --user-group --no-create-home media`);
    expect(dockerfile).toContain('ENV NODE_ENV=production SCRATCH_DIR=/scratch DROPREEL_IMAGE=1');
  });
});
