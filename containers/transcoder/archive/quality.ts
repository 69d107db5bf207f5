import { seconds } from '../../../core/archive/compare.ts';
import type { Inspection } from '../../../core/archive/inspection.ts';
import { videosOf } from '../../../core/archive/inspection.ts';
import { pictureValue, QualityFold } from '../../../core/archive/quality.ts';
import type { Quality } from '../../../core/contracts/archive.ts';
import { DropreelError } from '../../../core/contracts/errors.ts';
import { confined } from '../ffmpeg/demuxers.ts';
import { ffmpegLines, type Host } from './host.ts';

/**
 * Compares every picture of two files of one folder, in pairs by their place: their times have been compared before. The filter would pair
 * by time, and repeat a picture where one is missing.
 * @throws DropreelError when it cannot compare all of them
 */
export async function measureQuality(
  host: Host,
  { directory, original, archived }: { directory: string; original: string; archived: string },
  { before, after }: { before: Inspection; after: Inspection },
): Promise<Quality> {
  const [from, to] = [videosOf(before.description)[0], videosOf(after.description)[0]];
  const times = from && before.times.get(from.index);
  if (!from || !to || !times) throw new Error('Both files have a picture: they were compared before.');
  const input = (name: string) => ['-noautorotate', ...confined(), '-i', `./${name}`];
  const counted = (file: number, index: number, label: string) =>
    `[${file}:${index}]settb=AVTB,setpts=N/25/TB[${label}]`;
  const graph = [
    counted(0, to.index, 'a'),
    counted(1, from.index, 'b'),
    '[b]split[c][d];[a][c]ssim=stats_file=-[e];[e][d]psnr=stats_file=-',
  ].join(';');
  const fold = new QualityFold();
  const args = [...input(archived), ...input(original), '-lavfi', graph, '-f', 'null', '-'];
  await ffmpegLines(host, { directory, name: archived }, args, (line) => {
    const value = pictureValue(line);
    if (value === undefined) return;
    if ('psnr' in value) fold.addPsnr(value.psnr);
    else fold.addSsim(value.ssim, seconds(times, fold.count) - seconds(times, 0));
  });
  if (fold.count !== times.shown.length) {
    const message = `FFmpeg compared ${fold.count} of ${times.shown.length} pictures.`;
    throw new DropreelError('verify_failed', message);
  }
  return fold.result();
}
