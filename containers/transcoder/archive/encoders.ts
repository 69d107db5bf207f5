import { execa } from 'execa';
import { ARCHIVE_ENCODERS, type ArchiveEncoder } from '../../../core/archive/fitness.ts';
import { command, ENVIRONMENT, type Tools } from '../ffmpeg/run.ts';

const ALL = Object.values(ARCHIVE_ENCODERS).flat();

/**
 * The encoders that work on this machine, found by encoding a picture with each: builds of FFmpeg list those of hardware that is not there.
 */
export async function workingEncoders(
  tools: Tools,
  encoders: readonly ArchiveEncoder[] = ALL,
): Promise<ArchiveEncoder[]> {
  const works = await Promise.all(encoders.map((encoder) => encodes(tools, encoder)));
  return encoders.filter((_, i) => works[i]);
}

async function encodes(tools: Tools, encoder: ArchiveEncoder): Promise<boolean> {
  // Encoders of hardware refuse very small pictures.
  const picture = [
    '-f',
    'lavfi',
    '-i',
    'color=s=256x256:r=25:d=0.04',
    '-frames:v',
    '1',
    '-c:v',
    encoder,
    '-f',
    'null',
    '-',
  ];
  const { failed } = await execa(...command(tools, 'ffmpeg', ['-nostdin', '-v', 'quiet', ...picture]), {
    reject: false,
    timeout: 20_000,
    stdio: 'ignore',
    extendEnv: false,
    env: ENVIRONMENT,
  });
  return !failed;
}
