import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

const LATE = ['-itsoffset', '0.5'];

/** HEVC that begins with a keyframe in the middle of its film, whose leading pictures refer to what is not there. */
async function openGroup(): Promise<string> {
  const x265 = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'open-gop=1:keyint=25:bframes=4:log-level=0',
  ];
  const film = await make(directory.path, ...picture('160x120', '25', 2.4), ...x265, 'film.ts');
  const packets = ['-v', 'error', '-show_entries', 'packet=pos,flags', '-of', 'csv=p=0', film];
  const { stdout } = await execa(TOOLS.ffprobe, packets);
  const second = stdout.split('\n').filter((line) => line.includes('K'))[1] ?? '';
  await writeFile(film, (await readFile(film)).subarray(Number.parseInt(second, 10)));
  return film;
}

const CASES: [string, () => Promise<string>, number][] = [
  [
    'a transport stream in which a track that is not taken comes first',
    async () => {
      const late = [...['-itsoffset', '1'], ...picture('160x120'), ...['-itsoffset', '1'], ...tone()];
      const maps = ['-map', '0', '-map', '1', '-map', '2'];
      return make(directory.path, ...late, ...tone(2.5), ...maps, ...H264_AAC, 'other.ts');
    },
    0,
  ],
  [
    'a late picture that begins with an open group',
    async () => {
      const maps = ['-map', '0', '-map', '1', '-c:v', 'copy', '-c:a', 'aac'];
      return make(directory.path, ...LATE, '-i', await openGroup(), ...tone(2), ...maps, 'open.mkv');
    },
    0.5,
  ],
  [
    'a late picture of 120 frames a second',
    () => make(directory.path, ...LATE, ...picture('160x120', '120', 1), ...tone(), ...H264_AAC, 'fast.mkv'),
    0.5,
  ],
];

test.each(CASES)('%s is shown at its time', async (_, source, late) => {
  const { result, out } = await transcodeFile(directory.path, await source());
  const what = ['-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
  const { stdout } = await execa(TOOLS.ffprobe, [
    '-v',
    'error',
    ...what,
    join(out, result.renditions[0]?.playlist ?? ''),
  ]);
  const times = stdout
    .split(/,?\n+/)
    .map(Number.parseFloat)
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b);
  // The repeats of a late picture end eight frames after the start, and it follows them.
  const first = times.slice(1).find((time, i) => time - (times[i] ?? 0) > 0.1) ?? 0;
  expect(times[0]).toBeCloseTo(0, 2);
  expect(Math.abs(first - late)).toBeLessThanOrEqual(0.05);
});

test('a square stays one where the shape of the pixels changes on the way, but on FFmpeg 7, which knows the first shape only', async () => {
  const { stdout: version } = await execa(TOOLS.ffmpeg, ['-version']);
  const knowsOneShape = Number(/version (\d+)/.exec(version)?.[1]) >= 7;
  const square = 'color=black:s=180x144:r=25:d=0.4,drawbox=x=60:y=42:w=60:h=60:c=white:t=fill';
  const parts: Buffer[] = [];
  for (const aspect of ['4:3', '16:9']) {
    const coded = ['-aspect', aspect, '-c:v', 'mpeg2video', '-q:v', '2', 'part.ts'];
    parts.push(await readFile(await make(directory.path, '-f', 'lavfi', '-i', square, ...coded)));
  }
  const source = join(directory.path, 'shapes.ts');
  await writeFile(source, Buffer.concat(parts));
  const { result, out } = await transcodeFile(directory.path, source);
  const boxAt = async (seconds: string) => {
    const film = ['-v', 'info', '-ss', seconds, '-i', join(out, result.mp4 ?? '')];
    const { stderr } = await execa(TOOLS.ffmpeg, [
      ...film,
      '-vf',
      'bbox=min_val=128',
      '-frames:v',
      '1',
      '-f',
      'null',
      '-',
    ]);
    return /w:(\d+) h:(\d+)/.exec(stderr)?.slice(1).map(Number);
  };
  // 192x144 for 4:3; pixels of 16:9 are a third wider, and three quarters as large.
  expect(await boxAt('0.1')).toEqual([64, 60]);
  const [width, height = 0] = (await boxAt('0.6')) ?? [];
  expect(width).toBe(64);
  expect(Math.abs(height - (knowsOneShape ? 60 : 45))).toBeLessThanOrEqual(1);
});
