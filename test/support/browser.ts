import { execaSync } from 'execa';

/** The program of a Chromium of this machine: CHROMIUM_PATH, or the first that the PATH has. */
export function findChromium(): string | undefined {
  const candidates = [process.env.CHROMIUM_PATH, 'chromium', 'google-chrome'];
  for (const name of candidates) {
    if (!name) continue;
    const { failed, stdout } = execaSync('which', [name], { reject: false });
    if (!failed) return stdout.trim();
  }
  return undefined;
}
