/**
 * What the archive's encoders make of real H.264 clips at CRF 23: bytes, quality and speed of each preset. The first seconds of each clip,
 * with sound, through the product's own arguments and its own measurement. Needs the real clips.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { workingEncoders } from '../containers/transcoder/archive/encoders.ts';
import { describeFile, inspectFile } from '../containers/transcoder/archive/inspect.ts';
import { measureQuality } from '../containers/transcoder/archive/quality.ts';
import { encodeArguments } from '../core/archive/encode-arguments.ts';
import { chooseEncoder, whyUnfit } from '../core/archive/fitness.ts';
import { ArchivePolicy } from '../core/contracts/archive.ts';
import { SHARED_MEDIA } from './support/ffmpeg.ts';

const SECONDS = 5;
const CLIPS = ['phone-1080p25-h264', 'bbb-1s-1080p24', 'broadcast-422-10bit', 'traffic-432p', 'small-240p'];
const PRESETS = { hevc: ['ultrafast', 'veryfast', 'fast', 'medium'], av1: ['veryfast', 'fast', 'medium'] } as const;

const tools = { ffmpeg: process.env.FFMPEG_PATH ?? 'ffmpeg', ffprobe: process.env.FFPROBE_PATH ?? 'ffprobe' };
const host = { tools, signal: new AbortController().signal };
const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
try {
  const encoders = await workingEncoders(tools);
  console.log(
    `CRF 23, the first ${SECONDS} s, ${availableParallelism()} processors. SSIM over all planes, every picture.`,
  );
  console.log(
    '| clip | encoder | preset | bytes | saved | SSIM mean | worst second | worst picture below median | PSNR | × real time |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const clip of CLIPS) {
    const original = `${clip}.mp4`;
    const cut = ['-t', String(SECONDS), '-map', '0:V', '-map', '0:a', '-c', 'copy', original];
    await execa('ffmpeg', ['-v', 'error', '-y', '-i', join(SHARED_MEDIA, `${clip}.mp4`), ...cut], { cwd: directory });
    const description = await describeFile(host, { directory, name: original });
    if (!description) throw new Error(`${clip} cannot be read.`);
    const before = await inspectFile(host, { directory, name: original }, description);
    for (const codec of ['hevc', 'av1'] as const) {
      const encoder = chooseEncoder(codec, encoders, description);
      const unfit = encoder && whyUnfit(description, encoder);
      if (!encoder || unfit) {
        console.log(`| ${clip} | ${encoder ?? codec} | | refused: ${unfit?.reason ?? 'no encoder'} | | | | | | |`);
        continue;
      }
      for (const preset of PRESETS[codec]) {
        const policy = ArchivePolicy.parse({ codec, preset });
        const archived = `${clip}-${encoder}-${preset}.mp4`;
        const names = { input: original, output: archived, before: [] };
        const started = performance.now();
        await execa(
          tools.ffmpeg,
          ['-v', 'error', '-y', ...encodeArguments(description, { ...policy, encoder }, names)],
          {
            cwd: directory,
          },
        );
        const seconds = (performance.now() - started) / 1000;
        const made = await describeFile(host, { directory, name: archived });
        if (!made) throw new Error(`${archived} cannot be read.`);
        const after = await inspectFile(host, { directory, name: archived }, made);
        const quality = await measureQuality(host, { directory, original, archived }, { before, after });
        const { size } = await stat(join(directory, archived));
        const saved = 100 * (1 - size / before.bytes);
        const cells = [
          ...[clip, encoder, preset, `${Math.round(size / 1000)} kB of ${Math.round(before.bytes / 1000)}`],
          ...[`${saved.toFixed(0)} %`, quality.mean.toFixed(4), quality.worstSecond.toFixed(4)],
          ...[(quality.median - quality.worstPicture).toFixed(4), quality.psnr.toFixed(1)],
          ((description.format.duration ?? 0) / seconds).toFixed(2),
        ];
        console.log(`| ${cells.join(' | ')} |`);
      }
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
