import { execa } from 'execa';
import { type Warning, warning } from '../../core/contracts/warnings.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { checkLosses, DamageLog, lostPictures, lostSound, missingParts, runWarnings } from '../../core/media/losses.ts';
import { recordedTimes } from './decode-record.ts';
import { sentenceOf } from './ffmpeg/complaints.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS } from './ffmpeg/run.ts';
import { wrongClusters } from './matroska-checksums.ts';
import { missingPages } from './ogg-pages.ts';
import type { Source } from './read-packets.ts';
import type { StagesOutcome } from './stages.ts';

/** Milliseconds in which damaged pictures are looked for; what comes later is not said. */
const LOOK_TIMEOUT = 120_000;

/**
 * What the source's damage has cost of the tracks that were taken, after a decode with complaints.
 * @param times File with the times of the decoded pictures.
 * @throws DropreelError `corrupt` when much is lost
 */
export async function findLosses(
  source: Source,
  plan: EncodePlan,
  outcome: Pick<StagesOutcome, 'fault' | 'gap' | 'undecoded' | 'holes'>,
  times: string,
): Promise<Warning[]> {
  const { fault, undecoded, holes } = outcome;
  const { video, audio } = plan;
  const gap = outcome.gap ?? (plan.paged && fault === undefined ? await pagesGap(source) : undefined);
  const at = video && (fault ?? gap) !== undefined ? await recordedTimes(times) : [];
  const frame = video?.frameRate && video.frameRate.den / video.frameRate.num;
  if (fault === undefined) {
    if (gap !== undefined) return missingParts(gap, at, frame, holes?.places ?? []);
    const { clustersFrom: start } = plan;
    if (start !== undefined && !source.input.isInPlace) return wrongChecksums(source, start);
    return plan.numbered ? lostSound(0, holes?.places ?? []) : [];
  }
  const warnings: Warning[] = [];
  if (video) {
    const log = await lookAtPictures(source, video.track);
    checkLosses('pictures', undecoded.pictures + log.concealed, at.length + undecoded.pictures, fault);
    warnings.push(...lostPictures(undecoded.pictures, at, frame), ...runWarnings(log.runs, at));
  }
  if (audio && holes) {
    checkLosses('frames of sound', undecoded.sound, holes.frames + undecoded.sound, fault);
    warnings.push(...lostSound(undecoded.sound, holes.places));
  }
  return warnings.length > 0 ? warnings : [warning('source_damaged', `FFmpeg complained, and went on: ${fault}`)];
}

/** @param startSeconds When the file begins, by its clock. */
async function wrongChecksums({ input }: Source, startSeconds: number): Promise<Warning[]> {
  const { count, at } = await wrongClusters(input);
  if (count === 0) return [];
  const what =
    count === 1
      ? '1 cluster of the file, of up to some seconds, contradicts its checksum'
      : `${count} clusters of the file, of up to some seconds each, contradict their checksums`;
  const text = `${what}.`;
  return [warning('source_damaged', text, at === undefined ? undefined : at - startSeconds)];
}

async function pagesGap({ input }: Source): Promise<string | undefined> {
  const places = await missingPages(input);
  return places === 0 ? undefined : `pages are missing in ${places} place${places === 1 ? '' : 's'}.`;
}

/** What libavcodec's error concealment (error_resilience.c) says of each picture with missing parts. */
const CONCEALING = /concealing \d{1,9} DC/;
/** AV_LOG_ERROR */
const ERROR_LEVEL = 16;

/**
 * Decodes the pictures once more, with what the decoder says of each. In one thread, because otherwise messages come before their picture,
 * and H.264's mark of damaged pictures is there or not by chance. HEVC's decoder does not notice all damage.
 */
async function lookAtPictures({ tools, input, signal }: Source, track: number): Promise<DamageLog> {
  const log = new DamageLog();
  const entries = ['-show_log', '32', '-show_frames', '-show_entries', 'frame=key_frame:log=level,message'];
  const what = ['-threads', '1', '-select_streams', String(track), input.nameIn(input.directory)];
  const args = ['-v', 'quiet', ...confined(input.protocols), ...entries, '-of', 'compact', ...what];
  const child = execa(...command(tools, 'ffprobe', args), {
    ...PROBE_LIMITS,
    timeout: LOOK_TIMEOUT,
    reject: false,
    cancelSignal: signal,
    cwd: input.directory,
    buffer: false,
    stderr: 'ignore',
  });
  let picture: { isKey: boolean; concealed: boolean; why?: string } | undefined;
  const add = () => picture && log.add(picture.isKey, picture.concealed, picture.why);
  for await (const line of child) {
    if (line.startsWith('frame|')) {
      add();
      picture = { isKey: line.includes('|key_frame=1'), concealed: false };
    }
    const said = line.indexOf('log|level=');
    const [, level, message] = /^log\|level=(\d{1,3})\|message=(.*)$/.exec(line.slice(Math.max(said, 0))) ?? [];
    if (!picture || message === undefined) continue;
    if (CONCEALING.test(message)) picture.concealed = true;
    else if (Number(level) <= ERROR_LEVEL) picture.why ??= sentenceOf(message);
  }
  add();
  signal.throwIfAborted();
  return log;
}
