import { execa } from 'execa';

/** CPU seconds of one ffmpeg by its own count, and its standard error. */
export async function cpuOf(args: string[], cwd: string): Promise<{ cpu: number; wall: number; stderr: string }> {
  const started = performance.now();
  const { stderr } = await execa('ffmpeg', ['-nostdin', '-hide_banner', '-nostats', '-y', '-benchmark', ...args], {
    cwd,
  });
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  return { cpu: Number(user) + Number(system), wall: (performance.now() - started) / 1000, stderr };
}

/** Real clips, where present: `../shared/media` beside the project. */
export const SHARED_MEDIA = new URL('../../../shared/media/', import.meta.url).pathname;
