import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild } from '../batch/child.ts';
import { type Distortion, ffmpegArguments, type PlannedOutput, planOutputs } from './encode.ts';
import type { OutputDetail, OutputGroupDetail } from './job.ts';
import { JobError } from './job-error.ts';
import { baseOf } from './names.ts';
import type { Objects } from './objects.ts';
import { type Finished, mainPlaylist, mediaPlaylist } from './playlists.ts';
import { type ProbedInput, probeInput } from './probe.ts';
import type { Settings } from './schema.ts';

export interface Tools {
  ffmpeg: string;
  ffprobe: string;
}

export interface TranscodeRun {
  tools: Tools;
  settings: Settings;
  objects: Objects;
  /** The job's own; removed at its end. */
  dir: string;
  pidFile: string;
  distortion: Distortion;
  signal: AbortSignal;
  onProbed(probed: ProbedInput): Promise<void>;
  onTranscoding(progress: () => Promise<{ frames: number; fraction: number }>): void;
  onUploading(): Promise<void>;
}

/**
 * Runs a job's settings: reads the input, makes the outputs, and uploads them under their names.
 * @throws JobError, or the signal's reason
 */
export async function transcode(run: TranscodeRun): Promise<OutputGroupDetail[]> {
  const { tools, settings, objects, dir, signal, distortion } = run;
  const out = join(dir, 'out');
  await mkdir(out, { recursive: true });
  const source = join(dir, 'source');
  await objects.download(settings.inputs[0]?.fileInput ?? '', source);
  signal.throwIfAborted();
  const probed = await probeInput(tools.ffprobe, source);
  await run.onProbed(probed);
  const outputs = planOutputs(settings, probed, distortion);
  await encode(run, { source, out, probed, outputs });
  signal.throwIfAborted();
  await run.onUploading();
  const finished = await finish(tools, outputs, out);
  const details: OutputGroupDetail[] = [];
  for (const [i, group] of settings.outputGroups.entries()) {
    const own = finished.filter(({ planned }) => planned.group === i);
    const isCmaf = group.outputGroupSettings.type === 'CMAF_GROUP_SETTINGS';
    const main = `${baseOf(group, settings.inputs[0]?.fileInput ?? '')}.m3u8`;
    if (isCmaf) await writePlaylists(objects, { own, group, main, dir });
    for (const one of own) await uploadMedia(objects, one, signal);
    details.push({
      type: isCmaf ? 'CMAF_GROUP' : 'FILE_GROUP',
      ...(isCmaf && { playlistFilePaths: [main] }),
      outputDetails: own.map((one) => detailOf(one, isCmaf)),
    });
  }
  return details;
}

async function encode(
  run: TranscodeRun,
  made: { source: string; out: string; probed: ProbedInput; outputs: PlannedOutput[] },
): Promise<void> {
  const { tools, dir, settings, signal, distortion } = run;
  const { source, out, probed, outputs } = made;
  for (const { output, file } of outputs) {
    // No decoder of captions is at hand: a track without cues.
    if (output.captionDescriptions.length > 0) await writeFile(join(out, file), 'WEBVTT\n');
  }
  const progress = join(dir, 'progress');
  const logFile = join(dir, 'log');
  const tonemaps = await hasZscale(tools.ffmpeg);
  const args = ffmpegArguments({ settings, probed, outputs, source, progress, tonemaps, distortion });
  const { PATH = '' } = process.env;
  const command = [tools.ffmpeg, ...args];
  const child = await startChild({ command, cwd: out, environment: { PATH }, logFile, pidFile: run.pidFile });
  run.onTranscoding(async () => readProgress(await readFile(progress, 'utf8').catch(() => ''), probed.duration));
  const code = await exitOf(child, signal);
  signal.throwIfAborted();
  if (code !== 0) throw failure(code, await readFile(logFile, 'utf8'), probed);
}

async function exitOf(child: Child, signal: AbortSignal): Promise<number> {
  const kill = () => child.kill();
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  try {
    return await child.exited;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function readProgress(text: string, duration: number): { frames: number; fraction: number } {
  const last = (name: string) =>
    Number(
      text
        .slice(text.lastIndexOf(`${name}=`))
        .slice(name.length + 1)
        .split('\n')[0],
    );
  const seconds = (last('out_time_us') || 0) / 1e6;
  return { frames: last('frame') || 0, fraction: duration > 0 ? Math.min(1, seconds / duration) : 0 };
}

/** FFmpeg's exit code when most of a stream is not decoded, by its option max_error_rate. */
const UNDECODED = 69;

/** Of what is not decoded, the numbers are documented: https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_error_codes.html */
function failure(code: number, log: string, { video }: ProbedInput): JobError {
  const line = log.trim().split('\n').at(-1) ?? '';
  if (code === UNDECODED || log.includes('Cannot determine format of input')) {
    return video
      ? new JobError(1020, 'No video frames were decoded.')
      : new JobError(1021, 'No audio frames decoded on [selector-(Audio Selector 1)-track-1-drc]');
  }
  if (/end of file|partial file/i.test(log))
    return new JobError(1076, `ReadPacketData File read failed. Is file truncated? [${line}]`);
  return new JobError(1999, `Unknown error: ${line.slice(0, 200)}`);
}

async function hasZscale(ffmpeg: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)(ffmpeg, ['-v', 'quiet', '-h', 'filter=zscale']).catch(() => ({
    stdout: '',
  }));
  return stdout.includes('Filter zscale');
}

/** Files with what they last; of captures, all of them. */
interface Made extends Finished {
  bytes: number;
  captures?: string[];
}

async function finish({ ffprobe }: Tools, outputs: readonly PlannedOutput[], out: string): Promise<Made[]> {
  const names = (await readdir(out)).sort();
  const made: Made[] = [];
  for (const planned of outputs) {
    const settings = planned.output.videoDescription?.codecSettings.frameCaptureSettings;
    const path = join(out, planned.file);
    if (settings) {
      const [before = '', after = ''] = planned.file.split('%07d');
      const captures = names.filter((name) => name.startsWith(before) && name.endsWith(after));
      const every = settings.framerateDenominator / settings.framerateNumerator;
      const files = captures.map((name) => join(out, name));
      made.push({ planned, path, seconds: captures.length * every, bytes: await bytesOf(files), captures: files });
      continue;
    }
    const isText = planned.output.captionDescriptions.length > 0;
    made.push({ planned, path, bytes: await bytesOf([path]), seconds: isText ? 0 : await secondsOf(ffprobe, path) });
  }
  return made;
}

async function bytesOf(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  return bytes;
}

async function secondsOf(ffprobe: string, file: string): Promise<number> {
  const args = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file];
  const { stdout } = await promisify(execFile)(ffprobe, args);
  return Number(stdout.trim()) || 0;
}

async function writePlaylists(
  objects: Objects,
  {
    own,
    group,
    main,
    dir,
  }: { own: readonly Made[]; group: Settings['outputGroups'][number]; main: string; dir: string },
): Promise<void> {
  const file = join(dir, 'playlist');
  const put = async (text: string, uri: string) => {
    await writeFile(file, text);
    await objects.upload(file, uri);
  };
  for (const made of own) {
    const { playlist, output } = made.planned;
    if (playlist && output.captionDescriptions.length === 0) await put(await mediaPlaylist(made, group), playlist);
  }
  await put(mainPlaylist(own), main);
}

async function uploadMedia(objects: Objects, { planned, path, captures }: Made, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!captures) return objects.upload(path, planned.media);
  for (const file of captures) await objects.upload(file, uriOf(planned, file));
}

/** The number of a capture is in its file's name. */
function uriOf({ media }: PlannedOutput, file: string): string {
  const number = file.split('.').at(-2) ?? '';
  return media.replace('%07d', number);
}

/** Of captures, the last one stands for all, as in the events of guardian/media-atom-maker. */
function detailOf({ planned, seconds, bytes, captures }: Made, isCmaf: boolean): OutputDetail {
  const { picture, media } = planned;
  const last = captures?.at(-1);
  const path = captures ? last && uriOf(planned, last) : media;
  return {
    ...(!isCmaf && path && { outputFilePaths: [path] }),
    durationInMs: Math.round(seconds * 1000),
    ...(picture && {
      videoDetails: {
        widthInPx: picture.width,
        heightInPx: picture.height,
        averageBitrate: Math.round((bytes * 8) / Math.max(seconds, 0.1)),
      },
    }),
  };
}
