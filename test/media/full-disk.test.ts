import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runFfmpeg } from '../../containers/transcoder/ffmpeg/run.ts';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { writeWaveform } from '../../containers/transcoder/tasks/waveform.ts';
import { make, TOOLS, temporaryDirectory, tone } from '../support/media.ts';

/** Linux: each write to it fails with ENOSPC. */
const FULL = '/dev/full';

describe.skipIf(!existsSync(FULL))('a full disk', () => {
  it('fails an encode, though FFmpeg 5.1 ends well when only the last bytes could not be written', async () => {
    const args = [...tone(), '-c:a', 'aac', '-movflags', '+delay_moov+default_base_moof', '-f', 'mp4', FULL];
    const run = runFfmpeg(TOOLS, args, { cwd: '/', signal: new AbortController().signal });
    await expect(run).rejects.toMatchObject({ code: 'disk_full' });
  });

  it('fails a waveform', async () => {
    await using dir = await temporaryDirectory();
    const source = await make(dir.path, ...tone(), 'tone.wav');
    const target = join(dir.path, 'waveform.json');
    await symlink(FULL, `${target}.part`);
    const run = writeWaveform(TOOLS, {
      input: await fileInput(source),
      track: 0,
      channels: 1,
      sampleRate: 48_000,
      pixelsPerSecond: 20,
      jumpSeconds: 10,
      target,
      signal: new AbortController().signal,
    });
    await expect(run).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});
