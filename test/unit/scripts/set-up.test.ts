import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

/** Runs set-up as on a machine whose PATH has Node only: no ffmpeg, no apt-get, no Homebrew. */
async function setUpOnABareMachine(options: { cloud: boolean; tests: boolean }) {
  const bin = await mkdtemp(join(tmpdir(), 'dropreel-bin-'));
  try {
    await symlink(process.execPath, join(bin, 'node'));
    const source = `import('./scripts/setup.mjs').then(({ setUp }) => process.exit(setUp(${JSON.stringify(options)}) ? 0 : 1))`;
    return await execa(process.execPath, ['-e', source], {
      env: { PATH: bin, FFMPEG_PATH: '', FFPROBE_PATH: '' },
      extendEnv: false,
      reject: false,
    });
  } finally {
    await rm(bin, { recursive: true, force: true });
  }
}

it('a deployment and a synthesis are set up without ffmpeg and without the local database', async () => {
  expect(await setUpOnABareMachine({ cloud: false, tests: false })).toMatchObject({ exitCode: 0, stderr: '' });
});

it('a local cloud is not set up without ffmpeg, and the message says what to do', async () => {
  const { exitCode, stderr } = await setUpOnABareMachine({ cloud: true, tests: false });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'set-up: ffmpeg and ffprobe not found. Install ffmpeg, or set FFMPEG_PATH and FFPROBE_PATH.',
  });
});
