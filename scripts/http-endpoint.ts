import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type LocalEndpoint, startEndpoint } from '../local/endpoint/endpoint.ts';
import { Clock } from '../local/kernel/clock.ts';

/** What a deployment with the engine `http` has in cdk.json; on this machine the address is replaced. */
export const HTTP_ENGINE = { url: 'https://endpoint.example.com/v2/one', secret: 'dropreel/http-engine' };

export const ENDPOINT_KEY = 'key-of-the-endpoint';
/** As short as a busy machine allows: a worker that was killed keeps its job for so long. */
const CLAIM_SECONDS = '15';
/** Locations of programs, nothing personal. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'FFMPEG_PATH', 'FFPROBE_PATH'];

/**
 * An endpoint on this machine, whose worker is the one that was built, and what a cloud is booted with to use it: its time is the cloud's.
 * @param stateDir of the cloud, before it boots: the endpoint's key is added to its secrets.json
 */
export async function startHttpEndpoint(
  stateDir: string,
  { nodePath = process.execPath, log = () => {} }: { nodePath?: string | undefined; log?: (line: string) => void } = {},
): Promise<{ endpoint: LocalEndpoint; beside: { environment: Record<string, string>; clock: Clock } }> {
  const clock = new Clock();
  const dir = resolve(stateDir, 'endpoint');
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const endpoint = await startEndpoint({
    apiKey: ENDPOINT_KEY,
    log,
    clock,
    worker: {
      command: [nodePath, 'main.mjs', 'serve'],
      cwd: resolve('dist/transcoder'),
      environment: (worker) => ({
        ...Object.fromEntries(inherited),
        SCRATCH_DIR: join(dir, 'scratch', worker),
        CLAIM_SECONDS,
      }),
      dir,
    },
  });
  const secrets = join(stateDir, 'secrets.json');
  const known = JSON.parse(await readFile(secrets, 'utf8').catch(() => '{}')) as object;
  await writeFile(secrets, JSON.stringify({ ...known, [HTTP_ENGINE.secret]: ENDPOINT_KEY }));
  return { endpoint, beside: { environment: { HTTP_ENGINE_URL: endpoint.url }, clock } };
}
