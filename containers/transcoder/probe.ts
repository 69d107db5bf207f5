import { execa } from 'execa';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Warning } from '../../core/contracts/warnings.ts';
import type { Known } from '../../core/media/choose.ts';
import type { TrackEnds } from '../../core/media/encode-plan.ts';
import { FfprobeOutput, PROBE_ENTRIES } from '../../core/media/ffprobe.ts';
import type { Combed } from '../../core/media/interlace.ts';
import { LIMITS } from '../../core/media/limits.ts';
import {
  checkDuration,
  checkLateness,
  checkWork,
  encrypted,
  type Fraction,
  hasCovers,
  interpretProbe,
  type MediaProbe,
} from '../../core/media/probe.ts';
import { audioTracksOf, extraWarnings, sourceReport } from '../../core/media/report.ts';
import { SNIFF_BYTES, sniff } from '../../core/media/sniff.ts';
import { countsBytes } from './avi.ts';
import { hasWrongChecksums } from './checksums.ts';
import { addCropping } from './cropping.ts';
import { refuseEncrypted, refuseEncryptedBoxes } from './encrypted.ts';
import { type Complaints, sentenceOf } from './ffmpeg/complaints.ts';
import { decodableCodecs } from './ffmpeg/decoders.ts';
import { confined } from './ffmpeg/demuxers.ts';
import { damaged, PICTURE_SIZE, probeFailure, saysEncrypted } from './ffmpeg/errors.ts';
import { command, PROBE_LIMITS, type Tools } from './ffmpeg/run.ts';
import { checkInTime, type Input } from './input/input.ts';
import { findCombed, isLongShot } from './interlace.ts';
import { readLight } from './light.ts';
import { measureEnds, measureRate } from './track-ends.ts';
import { checkWhole, isUnfinished } from './whole.ts';

export interface Probed {
  probe: MediaProbe;
  report: ReturnType<typeof sourceReport>;
  /** FFmpeg's indices of all audio tracks, in their order. */
  audioTracks: number[];
  /** What is dropped beside tracks of picture and sound, and what is missing at the end. */
  warnings: Warning[];
  ends: TrackEnds;
  /** Looks for pictures of two moments, where that takes a while; absent: the probe says them. */
  look?: (signal: AbortSignal) => Promise<Combed>;
}

/** Finds out what a file holds, and refuses an unsuitable one with a DropreelError. Decodes what shows interlaced pictures. */
export async function probeSource(tools: Tools, input: Input, signal: AbortSignal): Promise<Probed> {
  await refuseBySight(input);
  await refuseEncrypted(input);
  const output = await ffprobe(tools, input, signal);
  if (output.format.format_name.startsWith('mov,')) await refuseEncryptedBoxes(input);
  await addCropping(input, output);
  const decodable = await decodableCodecs(tools);
  const known: Known = { isDecodable: (codec) => decodable.has(codec) };
  const first = interpretProbe(output, known);
  const cut = await checkWhole(input, first.format);
  const { probe, ends, warnings: missing } = await measured(tools, input, { output, known, first, signal });
  if (probe.video && isDoubtful(probe.video.frameRate)) {
    probe.video.frameRate = await measureRate(tools, input, probe, signal);
  }
  // Both tell of one loss: by bytes where the file says how many it has.
  const lost = cut.length > 0 ? cut : missing;
  checkDuration(Math.max(ends.video ?? 0, ends.audio ?? 0));
  if (probe.video) {
    checkLateness(ends.videoStart ?? probe.video.startSeconds);
    checkWork(probe.video, ends.video ?? 0);
    const light = await readLight(tools, input, probe.video, signal);
    if (light) probe.video.light = light;
    probe.video.captions = await input.hasCaptions(probe.video.codec);
  }
  if (probe.audio && (await hasWrongChecksums({ tools, input, signal }, probe.audio)))
    probe.audio.wrongChecksums = true;
  const audioTracks = audioTracksOf(output);
  if (probe.format === 'avi' && probe.video && probe.audio && ROUGH.test(probe.audio.codec)) {
    if (await countsBytes(input, audioTracks.indexOf(probe.audio.index))) probe.audio.roughTimes = true;
  }
  const found = {
    ...{ probe, ends, report: sourceReport(output, probe), audioTracks },
    warnings: [...extraWarnings(output), ...lost],
  };
  const { video: track } = probe;
  if (!track) return found;
  const seconds = ends.video ?? 0;
  const look = (signal: AbortSignal) => findCombed({ tools, input, track, signal }, seconds);
  if (isLongShot(track, seconds)) return { ...found, look };
  track.combed = await look(signal);
  return found;
}

/** Takes other tracks in the place of those that are announced, and of which the file holds nothing; or none. */
async function measured(
  tools: Tools,
  input: Input,
  { output, known, first, signal }: { output: FfprobeOutput; known: Known; first: MediaProbe; signal: AbortSignal },
): Promise<Pick<Probed, 'probe' | 'ends' | 'warnings'>> {
  const isCut = await isUnfinished(input, first.format);
  const measure = async (probe: MediaProbe) => {
    if (isCut) probe.durationSeconds = undefined;
    return { probe, ...(await measureEnds(tools, input, probe, signal)) };
  };
  const found = await measure(first);
  const { held } = found;
  if (!held || [first.video, first.audio].every((track) => !track || held.has(track.index))) return found;
  const empty = new Set(output.streams.map(({ index }) => index).filter((index) => !held.has(index)));
  if (found.said) refuseUnreadable(empty, found.said);
  return measure(interpretProbe(output, { ...known, empty }));
}

/**
 * An MP4's track of which nothing can be read is not an empty one where FFmpeg names it: its fragments do not fit the file.
 * libavformat/mov.c: `stream 1, offset 0x1210a: partial file`
 */
function refuseUnreadable(empty: ReadonlySet<number>, { tail }: Complaints): void {
  const lines = tail.split('\n');
  const line = [...empty].flatMap(
    (index) => lines.find((text) => text.includes(`] [error] stream ${index}, `)) ?? [],
  )[0];
  if (line !== undefined) throw damaged(sentenceOf(line), tail);
}

/** Codecs whose frames may have different lengths in bytes. */
const ROUGH = /^mp[23]/;

/** Above the limit pictures are left out, so that a rate that high has to be true. */
function isDoubtful(rate: Fraction | undefined): boolean {
  return rate === undefined || rate.num / rate.den > LIMITS.frameRate;
}

async function refuseBySight(input: Input): Promise<void> {
  if (input.size === 0) throw new DropreelError('empty_file', 'The file has 0 bytes.');
  const refused = sniff(await input.read(0, SNIFF_BYTES));
  if (refused) throw new DropreelError(refused.code, refused.message);
}

async function ffprobe(tools: Tools, input: Input, signal: AbortSignal): Promise<FfprobeOutput> {
  const { directory } = input;
  const shown = ['-show_entries', PROBE_ENTRIES, '-of', 'json', input.nameIn(directory)];
  const args = ['-v', 'error', ...confined(input.protocols), ...shown];
  const result = await execa(...command(tools, 'ffprobe', args), {
    cwd: directory,
    reject: false,
    cancelSignal: signal,
    ...PROBE_LIMITS,
  });
  signal.throwIfAborted();
  checkInTime(input, result);
  if (result.timedOut) throw new DropreelError('corrupt', 'The file could not be read within a minute; it is damaged.');
  if (result.isMaxBuffer)
    throw new DropreelError('corrupt', 'The description in the file is longer than that of any valid file.');
  if (result.failed && result.exitCode === undefined)
    throw new Error(`ffprobe did not start: ${result.originalMessage}`);
  if (result.failed) throw probeFailure(result.stderr);
  if (saysEncrypted(result.stderr)) throw encrypted();
  const output = FfprobeOutput.parse(JSON.parse(result.stdout));
  // FFmpeg reports this for covers as well, without naming the picture. Then the encode decides.
  if (PICTURE_SIZE.test(result.stderr) && !hasCovers(output)) throw probeFailure(result.stderr);
  return output;
}
