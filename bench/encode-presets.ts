/**
 * Which x264 preset for which rung: CPU time against bytes at equal quality. Each preset encodes at CRF 23 and 26; the bytes that it
 * would need for the SSIM of `medium` at CRF 23 are interpolated between. Needs the real clips.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuOf, SHARED_MEDIA } from './support/ffmpeg.ts';

const CLIPS = ['phone-1080p30-hevc.mp4', 'broadcast-422-10bit.mp4'];
const SECONDS = 4;
const RUNGS = [
  [1080, 5_000_000],
  [720, 2_500_000],
  [480, 1_000_000],
  [360, 500_000],
] as const;
const PRESETS = ['veryfast', 'faster', 'fast', 'medium', 'slow'];
const REFERENCE = 'medium';

interface Point {
  cpu: number;
  bytes: number;
  /** SSIM in dB: equal steps stand for equal differences in quality. */
  quality: number;
}

const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
try {
  console.log(`| rung | preset | CPU s per s | bytes at the quality of ${REFERENCE} | against ${REFERENCE} |`);
  console.log('|---|---|---|---|---|');
  for (const [height, maxBitrate] of RUNGS) {
    const totals = new Map<string, { cpu: number; bytes: number }>();
    for (const clip of CLIPS) {
      const raw = await scaled(clip, height);
      const points = new Map<string, [Point, Point]>();
      for (const preset of PRESETS) {
        points.set(preset, [await encode(raw, preset, 23, maxBitrate), await encode(raw, preset, 26, maxBitrate)]);
      }
      const target = points.get(REFERENCE)?.[0].quality ?? 0;
      for (const [preset, pair] of points) {
        const total = totals.get(preset) ?? { cpu: 0, bytes: 0 };
        totals.set(preset, { cpu: total.cpu + pair[0].cpu, bytes: total.bytes + bytesAt(pair, target) });
      }
      await rm(raw);
    }
    const reference = totals.get(REFERENCE)?.bytes ?? 1;
    for (const [preset, { cpu, bytes }] of totals) {
      const perSecond = (cpu / (SECONDS * CLIPS.length)).toFixed(2);
      const change = (100 * (bytes / reference - 1)).toFixed(1);
      console.log(`| ${height}p | ${preset} | ${perSecond} | ${Math.round(bytes / 1000)} kB | ${change} % |`);
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function scaled(clip: string, height: number): Promise<string> {
  const target = join(directory, `${height}.y4m`);
  const filter = `scale=-2:${height}:flags=bicubic:out_range=tv,format=yuv420p`;
  await cpuOf(['-i', join(SHARED_MEDIA, clip), '-t', String(SECONDS), '-an', '-vf', filter, target], directory);
  return target;
}

async function encode(raw: string, preset: string, crf: number, maxBitrate: number): Promise<Point> {
  const rate = ['-maxrate', String(maxBitrate), '-bufsize', String(maxBitrate * 2)];
  const codec = ['-c:v', 'libx264', '-preset', preset, '-profile:v', 'high', '-crf', String(crf), ...rate];
  const { cpu } = await cpuOf(['-i', raw, ...codec, '-sc_threshold', '0', '-g', '60', 'out.mp4'], directory);
  const compared = await cpuOf(['-i', 'out.mp4', '-i', raw, '-lavfi', 'ssim', '-f', 'null', '-'], directory);
  const quality = Number(/SSIM Y:[\d.]+ \(([\d.]+)\)/.exec(compared.stderr)?.[1]);
  return { cpu, bytes: (await stat(join(directory, 'out.mp4'))).size, quality };
}

function bytesAt([high, low]: [Point, Point], quality: number): number {
  const slope = Math.log(high.bytes / low.bytes) / (high.quality - low.quality);
  return high.bytes * Math.exp(slope * (quality - high.quality));
}
