import { execa } from 'execa';
import { command, ENVIRONMENT, type Tools } from './run.ts';

/** Names of the codecs that this FFmpeg decodes. Its listing begins each line with the codec's abilities: `DEV.L. h264`. */
export async function decodableCodecs(tools: Tools): Promise<ReadonlySet<string>> {
  const options = { extendEnv: false, env: ENVIRONMENT };
  const { stdout } = await execa(...command(tools, 'ffmpeg', ['-v', 'quiet', '-codecs']), options);
  return new Set([...stdout.matchAll(/^ D[A-Z.]{5} (\S+)/gm)].map(([, name = '']) => name));
}
