import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { copiedOf, Description, type Inspection, type TrackTimes } from '../../../core/archive/inspection.ts';
import { parseJson } from '../../../core/contracts/text.ts';
import { confined } from '../ffmpeg/demuxers.ts';
import { command, PROBE_LIMITS } from '../ffmpeg/run.ts';
import { checkEnded, ffmpegLines, type Host, type MediaFile, probeLines } from './host.ts';

/** In so many pictures an encoder has repeated the HDR data that holds for all of them. */
const FIRST_PICTURES = 5;

/**
 * What a file says that it holds; undefined where FFmpeg cannot open it.
 * @throws Error when ffprobe did not end within a minute
 */
export async function describeFile(host: Host, file: MediaFile): Promise<Description | undefined> {
  const [all, first] = await Promise.all([
    json(host, file, ['-show_streams', '-show_format', '-show_chapters']),
    json(host, file, ['-select_streams', 'V:0', '-read_intervals', `%+#${FIRST_PICTURES}`, '-show_frames']),
  ]);
  const { data, success } = Description.safeParse({ ...Object(all), ...Object(first) });
  return success ? data : undefined;
}

async function json({ tools, signal }: Host, { directory, name }: MediaFile, what: readonly string[]) {
  const args = ['-v', 'error', ...confined(), ...what, '-of', 'json', `./${name}`];
  const result = await execa(...command(tools, 'ffprobe', args), {
    ...PROBE_LIMITS,
    cwd: directory,
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  checkEnded(result);
  return result.failed ? undefined : parseJson(result.stdout);
}

/** Reads all packets of a file, and hashes those that are copied. */
export async function inspectFile(host: Host, file: MediaFile, description: Description): Promise<Inspection> {
  const times = await timesOf(host, file, description);
  const hashes = await hashesOf(host, file, description);
  return { description, bytes: (await stat(join(file.directory, file.name))).size, times, hashes };
}

async function timesOf(host: Host, file: MediaFile, { streams }: Description): Promise<Map<number, TrackTimes>> {
  const tracks = new Map<number, TrackTimes>();
  for (const { index, time_base } of streams) {
    const [num = '1', den = '1'] = time_base.split('/');
    tracks.set(index, { base: { num: BigInt(num), den: BigInt(den) }, shown: [], packets: 0 });
  }
  const entries = ['-show_entries', 'packet=stream_index,pts,flags', '-of', 'compact=p=0'];
  await probeLines(host, file, [...confined(), ...entries, `./${file.name}`], (line) => {
    const [, index, pts, flags = ''] = /^stream_index=(\d+)\|pts=(-?\d+|N\/A)\|flags=(\S*)/.exec(line) ?? [];
    const track = tracks.get(Number(index));
    if (!track) return;
    track.packets += 1;
    // An edit list hides the others: they are decoded and not shown.
    if (pts !== undefined && pts !== 'N/A' && !flags.includes('D')) track.shown.push(BigInt(pts));
  });
  for (const { shown } of tracks.values()) shown.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // FFmpeg leaves out what lies behind the end of an edit list, though the file holds it.
  if (streams.some(({ index, nb_frames = 0 }) => nb_frames > (tracks.get(index)?.packets ?? 0))) {
    for (const [index, packets] of await packetsOf(host, file)) {
      const track = tracks.get(index);
      if (track) track.packets = packets;
    }
  }
  return tracks;
}

/** How many packets each track holds, whatever its edit list shows of them. For MP4 and QuickTime. */
async function packetsOf(host: Host, file: MediaFile): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const entries = ['-ignore_editlist', '1', '-show_entries', 'packet=stream_index', '-of', 'compact=p=0'];
  await probeLines(host, file, [...confined(), ...entries, `./${file.name}`], (line) => {
    const index = Number(/^stream_index=(\d+)/.exec(line)?.[1]);
    if (Number.isInteger(index)) counts.set(index, (counts.get(index) ?? 0) + 1);
  });
  return counts;
}

async function hashesOf(host: Host, file: MediaFile, description: Description): Promise<Map<number, string>> {
  const copied = copiedOf(description);
  const hashes = new Map<number, string>();
  if (copied.length === 0) return hashes;
  const maps = copied.flatMap(({ index }) => ['-map', `0:${index}`]);
  const output = ['-c', 'copy', '-f', 'streamhash', '-hash', 'sha256', '-'];
  await ffmpegLines(host, file, [...confined(), '-i', `./${file.name}`, ...maps, ...output], (line) => {
    const [, place, hash] = /^(\d+),\w,SHA256=([0-9a-f]{64})$/i.exec(line) ?? [];
    const track = copied[Number(place)];
    if (track && hash) hashes.set(track.index, hash);
  });
  return hashes;
}
