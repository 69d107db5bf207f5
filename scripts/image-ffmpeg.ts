import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { WORKER_IMAGE } from '../lib/engines/batch/worker-image.ts';
import { debianSources, wrapper } from './debian.ts';

/** The Debian of the worker's image. */
const RELEASE = 'trixie';
/** Debian's number without its epoch: 7.1.5-0+deb13u1. */
const VERSION = WORKER_IMAGE.FFMPEG.replace(/^\d+:/, '');

export interface Programs {
  FFMPEG_PATH: string;
  FFPROBE_PATH: string;
}

/**
 * FFmpeg as the worker's image has it: this machine's where that is of the same minor version, else Debian's packages, which are brought
 * on the first call and leave the machine as it is.
 * @throws when this machine is not a Debian, whose mirrors and keys it takes
 */
export async function imageFfmpeg(say: (line: string) => void): Promise<Programs> {
  const minor = VERSION.split('.').slice(0, 2).join('.');
  const own = await versionOf('ffmpeg');
  if (own.startsWith(`${minor}.`) || own === minor) {
    say(`this machine's FFmpeg ${own} is that of the worker's image`);
    return { FFMPEG_PATH: 'ffmpeg', FFPROBE_PATH: 'ffprobe' };
  }
  const directory = resolve('node_modules/.cache/dropreel', `ffmpeg-${VERSION}`);
  const programs = { FFMPEG_PATH: join(directory, 'ffmpeg'), FFPROBE_PATH: join(directory, 'ffprobe') };
  if ((await versionOf(programs.FFMPEG_PATH)) === '') {
    say(`bringing FFmpeg ${VERSION} and its libraries from Debian ${RELEASE}: 150 MB, 500 MB on the disk`);
    await bring(directory);
  }
  const version = await versionOf(programs.FFMPEG_PATH);
  if (version === '') throw new Error(`${programs.FFMPEG_PATH} does not run.`);
  say(`FFmpeg ${version}${version === VERSION ? '' : `: Debian has no longer the image's ${VERSION}`}`);
  return programs;
}

/** Empty when it cannot be run. */
async function versionOf(program: string): Promise<string> {
  const { stdout = '' } = await execa(program, ['-version'], { reject: false });
  return /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? '';
}

async function bring(directory: string): Promise<void> {
  const work = `${directory}.part`;
  await rm(work, { recursive: true, force: true });
  await download(work);
  const root = join(work, 'root');
  const archives = join(work, 'cache/archives');
  for (const name of await readdir(archives)) {
    if (name.endsWith('.deb')) await execa('dpkg-deb', ['-x', join(archives, name), root]);
  }
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  await rename(root, join(directory, 'root'));
  await rm(work, { recursive: true });
  for (const name of ['ffmpeg', 'ffprobe']) {
    await writeFile(join(directory, name), await wrapper(join(directory, 'root'), name), { mode: 0o755 });
  }
}

/** Brings the packages of FFmpeg and all that they depend on, the C library included, because nothing is called installed. */
async function download(work: string): Promise<void> {
  for (const part of ['lists/partial', 'cache/archives/partial', 'root'])
    await mkdir(join(work, part), { recursive: true });
  const { stdout } = await execa('apt-get', ['update', '--print-uris']);
  await writeFile(join(work, 'sources.list'), debianSources(stdout, await codename(), RELEASE));
  await writeFile(join(work, 'status'), '');
  const options = [
    `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
    'Dir::Etc::SourceParts=/dev/null',
    'Dir::Etc::Preferences=/dev/null',
    'Dir::Etc::PreferencesParts=/dev/null',
    `Dir::State=${work}`,
    `Dir::State::Status=${join(work, 'status')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    // Root would download as a user of apt's, who may not enter every directory.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  await execa('apt-get', [...options, '-qq', 'update']);
  await execa('apt-get', [...options, '-qq', '-y', '--download-only', '--no-install-recommends', 'install', 'ffmpeg']);
}

async function codename(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const name = /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1];
  if (name !== undefined && /^ID=debian$/m.test(text)) return name;
  throw new Error("FFmpeg of the worker's image can be brought on Debian only, by its mirrors and keys.");
}
