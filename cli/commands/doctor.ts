import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { workingEncoders } from '../../containers/transcoder/archive/encoders.ts';
import { resolveProfile } from '../config.ts';
import { type GlobalOptions, outputOf } from '../context.ts';
import { diskOf } from '../disk.ts';
import { CliError, EXIT } from '../exit.ts';
import { NOT_RUNNING, tokenFor } from '../token.ts';
import { bytes } from '../units.ts';

interface Check {
  name: string;
  ok: boolean;
  found: string;
  /** Why it matters and how to get it; only for what is missing. */
  advice?: string;
  /** Whether its absence makes the exit code 1. */
  required: boolean;
}

/** What the encodes use. */
const ENCODERS = ['libx264', 'aac'];
const FILTERS = ['scale', 'thumbnail', 'split', 'zscale', 'tonemap', 'aresample'];
const INSTALL =
  process.platform === 'darwin'
    ? 'brew install ffmpeg'
    : process.platform === 'win32'
      ? 'winget install ffmpeg'
      : 'apt install ffmpeg';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has and lacks: ffmpeg, disk, the API, and what a deployment needs')
    .action(async (_options: object, command: Command) => {
      const out = outputOf(command);
      const options = command.optsWithGlobals<GlobalOptions>();
      const [here, disk, forDeployment, remote] = await Promise.all([
        media(),
        disks(options),
        deployment(),
        api(options),
      ]);
      const checks = [...here, ...disk, ...remote, ...forDeployment];
      out.result(checks, () => checks.map(lineOf).join('\n'));
      const missing = checks.filter((check) => check.required && !check.ok).map((check) => check.name);
      if (missing.length > 0) throw new CliError(EXIT.failed, `Missing: ${missing.join(', ')}.`);
    });
}

function lineOf({ name, ok, found, advice, required }: Check): string {
  const mark = ok ? '✓' : required ? '✗' : '–';
  return `${mark} ${name.padEnd(18)} ${found}${advice ? `\n  ${advice}` : ''}`;
}

async function media(): Promise<Check[]> {
  const ffmpeg = process.env.FFMPEG_PATH ?? 'ffmpeg';
  const ffprobe = process.env.FFPROBE_PATH ?? 'ffprobe';
  const [version, probeVersion, encoders, filters, dense] = await Promise.all([
    output(ffmpeg, ['-version']),
    output(ffprobe, ['-version']),
    output(ffmpeg, ['-hide_banner', '-encoders']),
    output(ffmpeg, ['-hide_banner', '-filters']),
    workingEncoders({ ffmpeg, ffprobe }),
  ]);
  const node = process.versions.node;
  const nodeOk = Number(node.split('.')[0]) > 20 || node.startsWith('20.19') || node.startsWith('20.20');
  return [
    {
      name: 'node',
      ok: nodeOk,
      found: node,
      required: true,
      ...(!nodeOk && { advice: 'Node 20.19 or newer is needed.' }),
    },
    program('ffmpeg', version),
    program('ffprobe', probeVersion),
    parts('encoders', encoders, ENCODERS),
    parts('filters', filters, FILTERS),
    archive(dense),
  ];
}

/** Encoders that were tried, the preferred first: of hardware, a build has them on every machine. */
function archive(encoders: readonly string[]): Check {
  const ok = encoders.length > 0;
  const advice = `Only \`dropreel archive\` needs one: ${INSTALL}`;
  return { name: 'archive', ok, found: encoders.join(' ') || 'none', required: false, ...(!ok && { advice }) };
}

function program(name: string, version: string | null): Check {
  if (version === null) {
    return { name, ok: false, found: 'not found', required: true, advice: `Install it: ${INSTALL}` };
  }
  return { name, ok: true, found: /version (\S+)/.exec(version)?.[1] ?? 'unknown version', required: true };
}

/** Names are in the second column of ffmpeg's lists. */
function parts(name: string, list: string | null, wanted: string[]): Check {
  const there = new Set(list?.split('\n').map((line) => line.trim().split(/\s+/)[1] ?? '') ?? []);
  const missing = wanted.filter((part) => !there.has(part));
  const found = wanted.filter((part) => there.has(part)).join(' ') || 'none';
  const advice = `Missing: ${missing.join(' ')}. A full build has them: ${INSTALL}`;
  return { name, ok: missing.length === 0, found, required: true, ...(missing.length > 0 && { advice }) };
}

const run = promisify(execFile);

async function output(command: string, args: string[]): Promise<string | null> {
  return run(command, args, { timeout: 10_000, maxBuffer: 4 * 1024 * 1024 }).then(
    ({ stdout }) => stdout,
    () => null,
  );
}

/** Of the local cloud's state, or of this directory, where it would begin. */
async function disks(options: GlobalOptions): Promise<Check[]> {
  const profile = await resolveProfile(options).catch(() => undefined);
  if (profile && profile.stateDir === undefined) return [];
  const disk = await diskOf(profile?.stateDir ?? process.cwd());
  if (!disk) return [];
  const { freeBytes, problem } = disk;
  const found = `${bytes(freeBytes)} free`;
  return [{ name: 'disk', ok: problem === undefined, found, required: true, ...(problem && { advice: problem }) }];
}

/** What `npm run deploy` needs and nothing else here. */
async function deployment(): Promise<Check[]> {
  const version = await output('docker', ['version', '--format', '{{.Server.Version}}']);
  const docker: Check = {
    name: 'Docker',
    ok: version !== null,
    found: version?.trim() ?? 'not found, or it does not run',
    required: false,
    ...(version === null && { advice: 'Only `npm run deploy` needs it.' }),
  };
  return [docker, await aws()];
}

async function aws(): Promise<Check> {
  const fromEnvironment = Boolean(process.env.AWS_ACCESS_KEY_ID || process.env.AWS_PROFILE);
  const file = process.env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials');
  const fromFile = await access(file).then(
    () => true,
    () => false,
  );
  const ok = fromEnvironment || fromFile;
  return {
    name: 'AWS credentials',
    ok,
    found: fromEnvironment ? 'in the environment' : fromFile ? file : 'none',
    required: false,
    ...(!ok && {
      advice: 'Only `npm run deploy` needs them, and an account that `npx cdk bootstrap` has prepared: aws configure',
    }),
  };
}

async function api(options: GlobalOptions): Promise<Check[]> {
  const name = 'API';
  try {
    const profile = await resolveProfile(options);
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${profile.apiUrl}/openapi.json`, { signal }).catch((error: unknown) => error);
    if (!(response instanceof Response)) {
      const advice = profile.cloudFile === undefined ? String(response) : NOT_RUNNING;
      return [{ name, ok: false, found: `${profile.apiUrl} is not reached`, required: true, advice }];
    }
    const reached: Check = { name, ok: response.ok, found: `${profile.apiUrl} (${profile.name})`, required: true };
    if (!response.ok) return [{ ...reached, advice: `It answered ${response.status}.` }];
    const token = await tokenFor(profile).then(
      () => ({ ok: true, found: 'valid' }),
      (error: unknown) => ({
        ok: false,
        found: 'none',
        advice: error instanceof Error ? error.message : String(error),
      }),
    );
    return [reached, { name: 'token', required: true, ...token }];
  } catch (error) {
    const advice = error instanceof Error ? error.message : String(error);
    return [{ name, ok: false, found: 'none known', required: false, advice }];
  }
}
