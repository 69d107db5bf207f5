import { join } from 'node:path';
import type { BootOptions } from '../local/boot.ts';

const ROOT = join(import.meta.dirname, '..');

/** Options that describe dropreel to the local cloud, which does not know it. */
export const LOCAL_CLOUD: Pick<BootOptions, 'sites' | 'jobs' | 'dynamodbEndpoint'> = {
  sites: { '/player/': join(ROOT, 'dist/player') },
  jobs: {
    settablePrefix: 'DROPREEL_',
    pathVariables: ['SCRATCH_DIR'],
    inherited: ['FFMPEG_PATH', 'FFPROBE_PATH'],
  },
  dynamodbEndpoint: process.env.DROPREEL_DYNAMODB_ENDPOINT,
};
