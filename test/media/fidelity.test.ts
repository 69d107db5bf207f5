import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashManifest } from '../../core/media/dash-manifest.ts';
import { type Named, readMediaPlaylist } from '../../core/media/media-playlist.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed, transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

async function probe(path: string, entries: string): Promise<string> {
  const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', path]);
  return stdout.trim();
}

/** When the first bright picture is shown, and when the first loud sample is heard, in seconds. */
async function flashAndBeep(picturePath: string, soundPath: string): Promise<[number, number]> {
  const bright = await lines(picturePath, ['-vf', 'signalstats,metadata=print:file=-', '-an']);
  const flash = /pts_time:([\d.]+)\n(?:lavfi.*\n)*?lavfi\.signalstats\.YAVG=(?:1[5-9]\d|2\d\d)/.exec(bright)?.[1];
  const quiet = await lines(soundPath, ['-vn', '-af', 'silencedetect=noise=-20dB:d=0.2,ametadata=print:file=-']);
  return [Number(flash), Number(/silence_end=([\d.]+)/.exec(quiet)?.[1])];
}

async function lines(path: string, filter: string[]): Promise<string> {
  const { stdout } = await execa(TOOLS.ffmpeg, ['-v', 'error', '-i', path, ...filter, '-f', 'null', '-']);
  return stdout;
}

const FLASH = "color=black:s=320x240:r=25:d=3,geq=lum='if(gte(T,1.5),235,16)':cb=128:cr=128";
const BEEP = "aevalsrc='if(gte(t,1.5),0.7*sin(2000*t),0)':d=3:s=48000";

test.each<[string, string[]]>([
  ['both from the start', ['together.mp4']],
  ['with the sound late', ['-af', 'atrim=start=0.7', 'late-sound.mkv']],
  ['with the picture late', ['-vf', 'trim=start=0.7', 'late-picture.mkv']],
  ['in a transport stream', ['stream.ts']],
])('a flash and a beep stay in sync, %s', async (_, output) => {
  const sources = ['-f', 'lavfi', '-i', FLASH, '-f', 'lavfi', '-i', BEEP];
  const source = await make(directory.path, ...sources, ...H264_AAC, ...output);
  const { result, out } = await transcodeFile(directory.path, source);
  const stream = await flashAndBeep(join(out, '240p.m3u8'), join(out, 'audio-64k.m3u8'));
  const mp4 = join(out, result.mp4 ?? '');
  for (const [flash, beep] of [stream, await flashAndBeep(mp4, mp4)]) {
    expect(flash).toBeGreaterThan(1.4);
    expect(Math.abs(flash - beep)).toBeLessThanOrEqual(0.045);
  }
});

test('frames are shown in order and at their times, also across a gap of fifteen seconds', async () => {
  const gap = ['-vf', "select='between(mod(t,17),0,2)'", '-fps_mode', 'vfr'];
  const source = await make(directory.path, ...picture('320x240', '10', 20), ...gap, ...H264_AAC, 'gap.mp4');
  const { result, out } = await transcodeFile(directory.path, source);
  const times = async (path: string) =>
    (await probe(path, 'packet=pts_time'))
      .split('\n')
      .map(Number)
      .sort((a, b) => a - b);
  const expected = await times(source);
  expect(expected).toHaveLength(42);
  expect(await times(join(out, '240p.m3u8'))).toEqual(expected);
  expect(await times(join(out, result.mp4 ?? ''))).toEqual(expected);
});

test('full range becomes limited range, and the output is labelled with its range and its matrix', async () => {
  const grey = ['-f', 'lavfi', '-i', 'color=white:s=320x240:r=25:d=0.2'];
  const full = [
    '-vf',
    'scale=out_range=full:out_color_matrix=bt601,format=yuvj420p',
    '-color_range',
    'pc',
    '-colorspace',
    'smpte170m',
  ];
  const source = await make(directory.path, ...grey, ...full, '-c:v', 'libx264', '-preset', 'ultrafast', 'full.mp4');
  const { out } = await transcodeFile(directory.path, source);
  const rung = join(out, '240p.m3u8');
  expect(await probe(rung, 'stream=color_range,color_space')).toContain('tv,smpte170m');
  expect(await lines(rung, ['-vf', 'signalstats,metadata=print:file=-'])).toMatch(/YMAX=23[456]/);
});

test('HDR10 is tone-mapped: white of 203 cd/m² stays light, and the labels are BT.709', async () => {
  // 10-bit code 573 of the PQ curve is 203 cd/m², the white of a page (ITU-R BT.2408).
  const white = ['-f', 'lavfi', '-i', 'color=black:s=320x240:r=25:d=0.2,format=yuv420p10le,geq=lum=573:cb=512:cr=512'];
  const labels = 'colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=error';
  const hevc = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    labels,
    '-pix_fmt',
    'yuv420p10le',
    '-tag:v',
    'hvc1',
  ];
  const source = await make(directory.path, ...white, ...hevc, 'hdr.mp4');
  const { out, result } = await transcodeFile(directory.path, source);
  const rung = join(out, '240p.m3u8');
  expect(result.skipped.map(({ what }) => what)).toEqual(['waveform']);
  expect(await probe(rung, 'stream=pix_fmt,color_range,color_space,color_transfer,color_primaries')).toContain(
    'yuv420p,tv,bt709,bt709,bt709',
  );
  const average = Number(/YAVG=([\d.]+)/.exec(await lines(rung, ['-vf', 'signalstats,metadata=print:file=-']))?.[1]);
  // 150 or 151 by the instructions that the CPU has; 143 without tone-mapping.
  expect(Math.abs(average - 151)).toBeLessThanOrEqual(2);
});

// The upper half is a grey ramp, the lower half red, green and blue of 255.
const BARS = [
  "nullsrc=s=1280x720:r=25:d=0.2,format=gbrp,geq=r='if(lt(Y,360),X*255/1279,if(lt(X,426),255,0))'",
  "g='if(lt(Y,360),X*255/1279,if(between(X,426,852),255,0))':b='if(lt(Y,360),X*255/1279,if(gt(X,852),255,0))'",
].join(':');
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params'];

test.each<[string, string[]]>([
  ['RGB of five bits', ['-c:v', 'rawvideo', '-pix_fmt', 'rgb555le', 'bits.avi']],
  ['RGB without a word about its matrix', ['-c:v', 'qtrle', '-pix_fmt', 'rgb24', 'rgb.mov']],
  [
    'BT.2020 that names its matrix only',
    [
      ...['-vf', 'scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le'],
      ...[...X265, 'log-level=none:colormatrix=bt2020nc', 'matrix.mp4'],
    ],
  ],
  [
    'Display P3',
    [
      ...['-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-c:v', 'libx264', '-pix_fmt', 'yuv420p'],
      ...['-colorspace', 'bt709', '-color_primaries', 'smpte432', '-color_trc', 'bt709', 'p3.mp4'],
    ],
  ],
])('red, green, blue and grey stay what they are in %s', async (_, output) => {
  const source = await make(directory.path, '-f', 'lavfi', '-i', BARS, ...output);
  const { result, out } = await transcodeFile(directory.path, source);
  const pixel = async (x: number, y: number) => {
    const filter = `scale=in_color_matrix=bt709,format=rgb24,crop=2:2:${x}:${y}`;
    const args = [
      '-v',
      'error',
      '-i',
      join(out, result.mp4 ?? ''),
      '-frames:v',
      '1',
      '-vf',
      filter,
      '-f',
      'rawvideo',
      '-',
    ];
    const { stdout } = await execa(TOOLS.ffmpeg, args, { encoding: 'buffer' });
    return [...stdout.subarray(0, 3)];
  };
  const colours = [await pixel(200, 500), await pixel(600, 500), await pixel(1000, 500), await pixel(640, 100)];
  const expected = [255, 0, 0, 0, 255, 0, 0, 0, 255, 127, 127, 127];
  // Of 32 shades, the nearest to the grey is 123 or 132.
  const most = result.source.tracks?.[0]?.codec === 'rawvideo' ? 6 : 3;
  expect(Math.max(...colours.flat().map((value, i) => Math.abs(value - (expected[i] ?? 0))))).toBeLessThanOrEqual(most);
});

test.each([
  ['an impossible peak of its display', 'L(50,0):max-cll=0,0', 151],
  ['a brightest pixel that no display shows', 'L(10000000,0):max-cll=65535,400', 151],
  ['neither', 'L(10000000,0):max-cll=0,0', 151],
])('white of 203 cd/m² is as light in HDR10 with %s', async (_, light, luma) => {
  const white = 'color=white:s=320x240:r=25:d=0.2,format=yuv420p10le,geq=lum=573:cb=512:cr=512';
  const labels = 'log-level=error:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc';
  const display = `master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)${light}`;
  const source = await make(directory.path, '-f', 'lavfi', '-i', white, ...X265, `${labels}:${display}`, 'light.mp4');
  const { out } = await transcodeFile(directory.path, source);
  for (const file of ['240p.m3u8', 'poster.jpg', 'thumbnail.jpg']) {
    const stats = await lines(join(out, file), [
      '-vf',
      'scale=out_range=tv,format=yuv420p,signalstats,metadata=print:file=-',
    ]);
    expect(Math.abs(Number(/YAVG=([\d.]+)/.exec(stats)?.[1]) - luma)).toBeLessThanOrEqual(2);
  }
});

/** Seconds that each entry of a playlist of keyframes is shown, and the checksum of the picture that FFmpeg decodes of it alone. */
async function keyframesIn(out: string, playlist: string): Promise<[number, string | undefined][]> {
  const { init, segments } = readMediaPlaylist(await readFile(join(out, playlist), 'utf8'));
  const bytes = await readFile(join(out, init.uri));
  const part = ({ range }: Named) => bytes.subarray(range?.offset, (range?.offset ?? 0) + (range?.bytes ?? 0));
  return Promise.all(
    segments.map(async (segment, i) => {
      const file = join(out, `entry-${i}.mp4`);
      await writeFile(file, Buffer.concat([part(init), part(segment)]));
      return [segment.durationSeconds, (await checksums(file)).at(0)] as [number, string | undefined];
    }),
  );
}

async function checksums(file: string, ...options: string[]): Promise<string[]> {
  const args = ['-v', 'quiet', ...options, '-i', file, '-fps_mode', 'passthrough', '-f', 'framemd5', '-'];
  const { stdout } = await execa(TOOLS.ffmpeg, args);
  return stdout.split('\n').flatMap((line) => (line.startsWith('0,') ? [line.split(',').at(-1)?.trim() ?? ''] : []));
}

test('segments are six seconds, cut at the same times in every rung, and begin with keyframes, which have playlists', async () => {
  const source = await make(directory.path, ...picture('640x480', '24', 14), ...H264_AAC, 'long.mp4');
  const two = { ...presetNamed('standard'), rungs: presetNamed('standard').rungs.slice(2) };
  const { result, out } = await transcodeFile(directory.path, source, two);
  expect(result.preview?.playlists).toEqual([
    'preview/preview.m3u8',
    'preview/480p-iframes.m3u8',
    'preview/480p.m3u8',
    'preview/480p.mp4',
  ]);
  for (const rung of ['480p', '360p']) {
    const text = await execa('grep', ['EXTINF', join(out, `${rung}.m3u8`)]);
    expect(text.stdout).toBe('#EXTINF:6.000000,\n#EXTINF:6.000000,\n#EXTINF:2.000000,');
    const keys = (await probe(join(out, `${rung}.m3u8`), 'packet=pts_time,flags')).split('\n');
    expect(keys.filter((line) => line.includes('K')).map((line) => Number(line.split(',')[0]))).toEqual([
      0, 2, 4, 6, 8, 10, 12,
    ]);
    const pictures = await checksums(join(out, `${rung}.m3u8`), '-skip_frame', 'nokey');
    expect(new Set(pictures).size).toBe(7);
    expect(await keyframesIn(out, `${rung}-iframes.m3u8`)).toEqual(pictures.map((sum) => [2, sum]));
  }
});

test('the large poster is the frame of the small one, in the size of the largest rung', async () => {
  const source = await make(directory.path, ...picture('640x480', '24', 3), ...H264_AAC, 'poster.mp4');
  const two = { ...presetNamed('standard'), rungs: presetNamed('standard').rungs.slice(2) };
  const { result, out } = await transcodeFile(directory.path, source, two);
  expect(await probe(join(out, result.posterLarge ?? ''), 'stream=width,height')).toBe('640,480');
  const inputs = ['-i', join(out, result.poster ?? ''), '-i', join(out, result.posterLarge ?? '')];
  const graph = '[1:v]scale=320:-2[large];[0:v][large]psnr=stats_file=-';
  const { stdout } = await execa(TOOLS.ffmpeg, ['-v', 'error', ...inputs, '-filter_complex', graph, '-f', 'null', '-']);
  // Of the frames beside it less than 30 dB, because the whole test picture moves.
  expect(Number(/psnr_avg:([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(36);
});

/** Timescale, first time, then ticks of each segment: of the file's sidx (ISO/IEC 14496-12, 8.16.3), version 1. */
async function indexOf(file: string): Promise<{ times: number[]; bytes: number[]; end: number }> {
  const bytes = await readFile(file);
  const at = bytes.indexOf('sidx') - 4;
  const references = Array.from({ length: bytes.readUInt16BE(at + 38) }, (_, i) => at + 40 + 12 * i);
  return {
    times: [
      bytes.readUInt32BE(at + 16),
      Number(bytes.readBigUInt64BE(at + 20)),
      ...references.map((one) => bytes.readUInt32BE(one + 4)),
    ],
    bytes: references.map((one) => bytes.readUInt32BE(one)),
    end: at + bytes.readUInt32BE(at),
  };
}

test("a rendition's file has the index that FFmpeg would write, of the ranges that its playlist names, and FFmpeg plays the DASH manifest of it", async () => {
  const source = await make(directory.path, ...picture('640x360', '24', 14), ...tone(14), ...H264_AAC, 'indexed.mp4');
  const { result, out } = await transcodeFile(directory.path, source, {
    ...presetNamed('standard'),
    rungs: presetNamed('standard').rungs.slice(3),
  });
  const ours = await indexOf(join(out, '360p.mp4'));
  const dash = ['-f', 'dash', '-single_file', '1', '-global_sidx', '1', '-seg_duration', '6', 'own.mpd'];
  await make(directory.path, '-i', join(out, '360p.mp4'), '-c', 'copy', ...dash);
  expect(ours.times).toEqual([12288, 0, 73728, 73728, 24576]);
  expect(ours.times).toEqual((await indexOf(join(directory.path, 'own-stream0.mp4'))).times);

  const ranges = (await readFile(join(out, '360p.m3u8'), 'utf8')).matchAll(/^#EXT-X-BYTERANGE:(\d+)@(\d+)$/gm);
  let offset = ours.end;
  for (const size of ours.bytes) {
    const [, length, at] = ranges.next().value ?? [];
    expect([Number(length), Number(at)]).toEqual([size, offset]);
    offset += size;
  }
  expect(offset).toBe((await stat(join(out, '360p.mp4'))).size);

  await writeFile(join(out, 'manifest.mpd'), dashManifest(result) ?? '');
  // ffprobe lists the streams of the program, then all.
  const [, streams] = (await probe(join(out, 'manifest.mpd'), 'stream=codec_name,width,height')).split('\n\n');
  expect(streams).toBe('h264,640,360\naac');
  expect(await checksums(join(out, 'manifest.mpd'), '-an')).toEqual(await checksums(join(out, '360p.m3u8')));
});
