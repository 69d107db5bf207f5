import { mkdtemp, rm, stat } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chunk } from '../../core/media/chunk.ts';
import { numbered, numbersIn, transcodeInChunks } from '../../test/support/chunks.ts';
import { besideTone, loudFrom, soundOf } from '../../test/support/tone.ts';
import { type LocalTranscode, transcodeFile } from '../../test/support/transcode.ts';
import { measured } from './encode-bench.ts';
import { cpuOf, SHARED_MEDIA } from './ffmpeg.ts';

const RATE = 25;
const TONE_HERTZ = 440;
/** Numbers of pictures have ten bits. */
const NUMBERS = 1024;
/** Of the height, from the top, the pictures' numbers take. */
const STRIP = 1 / 9;

/** The same film in one encode and in chunks, in turn: what each costs, and whether the chunks show what the film does. */
export async function compare({
  seconds,
  chunks,
  rounds,
}: {
  seconds: number;
  chunks: number;
  rounds: number;
}): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
  try {
    const film = await makeFilm(directory, seconds);
    for (let round = 1; round <= rounds; round++) {
      const one = await run(() => transcodeFile(directory, film));
      const many = await run(() => inChunks(directory, film, chunks));
      const ratio = (a: number, b: number) => (a / b).toFixed(3);
      console.log(
        `round ${round}, load ${loadavg()[0]?.toFixed(1)}, ${seconds} s in ${many.made.cut.length} chunks: ` +
          `CPU ${many.cpu.toFixed(1)} s against ${one.cpu.toFixed(1)} s (${ratio(many.cpu, one.cpu)}), ` +
          `bytes ${ratio(bytesOf(many.made), bytesOf(one.made))}, SSIM ${many.made.result.ssim} against ${one.made.result.ssim}`,
      );
      if (round === 1) await look(many.made, seconds);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * A real phone clip over and over, or a generated one, 640x320, under a strip with each picture's number; with a tone, and a loud one of a tenth of
 * a second two seconds before the end.
 */
async function makeFilm(directory: string, seconds: number): Promise<string> {
  const phone = join(SHARED_MEDIA, 'phone-1080p30-hevc.mp4');
  const real = await stat(phone).catch(() => null);
  const made = ['-f', 'lavfi', '-i', `testsrc2=s=640x320:r=${RATE}:d=${seconds},noise=alls=12:allf=t`];
  const burst = `0.6*sin(2*PI*3000*t)*between(t,${seconds - 2},${seconds - 1.9})`;
  const inputs = [
    ...(real ? ['-stream_loop', '-1', '-i', phone] : made),
    ...numbered(String(RATE), seconds, '1', 40),
    ...['-f', 'lavfi', '-i', `aevalsrc='0.2*sin(2*PI*${TONE_HERTZ}*t)+${burst}':s=48000:d=${seconds}`],
  ];
  const graph = `[0:v]scale=640:320,fps=${RATE},setsar=1[a];[1:v]setsar=1[b];[b][a]vstack,format=yuv420p[v]`;
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-c:a', 'aac', '-b:a', '128k'];
  const mapped = ['-filter_complex', graph, '-map', '[v]', '-map', '2:a', '-t', String(seconds)];
  await cpuOf([...inputs, ...mapped, ...codec, 'film.mp4'], directory);
  return join(directory, 'film.mp4');
}

async function inChunks(directory: string, film: string, chunks: number): Promise<LocalTranscode & { cut: Chunk[] }> {
  const made = await transcodeInChunks(directory, film, chunks);
  if ('why' in made) throw new Error(made.why.join('; '));
  return made;
}

async function run<Made extends LocalTranscode>(work: () => Promise<Made>): Promise<{ cpu: number; made: Made }> {
  let made: Made | undefined;
  const { cpu } = await measured(async () => {
    made = await work();
  });
  if (!made) throw new Error('nothing was made');
  return { cpu, made };
}

function bytesOf({ result: { renditions, audio } }: LocalTranscode): number {
  return [...renditions, ...audio].reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}

async function look({ out, result, cut }: LocalTranscode & { cut: Chunk[] }, seconds: number): Promise<void> {
  const joints = cut.slice(1).map(({ start }) => start);
  for (const file of [...result.renditions.map(({ playlist }) => playlist), result.mp4 ?? '']) {
    const shown = await numbersIn(join(out, file), STRIP);
    const wrong = shown.filter(({ number, at }, i) => number !== i % NUMBERS || Math.abs(at - i / RATE) > 0.001);
    console.log(`${file}: ${shown.length} pictures of ${seconds * RATE}, ${wrong.length} out of place or time`);
  }
  const burst = seconds - 2;
  for (const file of [...result.audio.map((audio) => audio.file?.uri ?? ''), result.mp4 ?? '']) {
    const sound = await soundOf(join(out, file));
    const late = 1000 * (loudFrom(sound, 0.4, burst - 1) - burst);
    const beside = (times: number[]) => besideTone(sound, TONE_HERTZ, times).toFixed(1);
    console.log(
      `${file}: beside the tone ${beside(joints)} dB at ${joints.length} joints, ${beside(joints.map((at) => at + 10))} dB ` +
        `ten seconds after them; at the end ${late.toFixed(1)} ms behind its picture`,
    );
  }
}
