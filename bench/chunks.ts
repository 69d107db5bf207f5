/**
 * A film in chunks against the same in one encode: CPU, bytes and SSIM, measured in turn on this machine; and a simulation of an hour and of
 * ten hours of 1080p on 1 to 64 machines. FILM_SECONDS and CHUNKS set the film: 180 and 3. SIMULATE=only leaves the measuring out.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { transcodeInChunks } from '../test/support/chunks.ts';
import { transcodeFile } from '../test/support/transcode.ts';
import { measured } from './support/encode-bench.ts';
import { cpuOf } from './support/ffmpeg.ts';
import { simulate, VCPUS } from './support/film-simulation.ts';

const SECONDS = Number(process.env.FILM_SECONDS ?? 180);
const CHUNKS = Number(process.env.CHUNKS ?? 3);
const ROUNDS = 2;

if (process.env.SIMULATE !== 'only') await compare();
for (const hours of [1, 10]) {
  console.log(
    `\n${hours} h of 1080p30\n\n| machines | vCPUs | chunks | ready after | USD | times one |\n|---|---|---|---|---|---|`,
  );
  for (const machines of [1, 2, 4, 8, 16, 32, 64]) row(machines, hours);
}
console.log(
  '\n1 h of 1080p30, whatever it costs\n\n| machines | vCPUs | chunks | ready after | USD | times one |\n|---|---|---|---|---|---|',
);
for (const machines of [16, 32, 64]) row(machines, 1, machines - 1);

function row(machines: number, hours: number, count?: number): void {
  const { chunks, seconds, usd, dearer } = simulate(3600 * hours, machines, count);
  const cells = [
    machines,
    machines * VCPUS,
    chunks,
    `${(seconds / 60).toFixed(1)} min`,
    usd.toFixed(2),
    dearer.toFixed(2),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

async function compare(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
  try {
    const made = ['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=25:d=${SECONDS},noise=alls=12:allf=t`];
    const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`];
    const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
    await cpuOf([...made, ...tone, ...codec, 'film.mp4'], directory);
    const film = join(directory, 'film.mp4');
    for (let round = 1; round <= ROUNDS; round++) {
      const [one, many] = [await run(() => transcodeFile(directory, film)), await run(() => inParts(directory, film))];
      const ratio = (a: number, b: number) => (a / b).toFixed(3);
      console.log(
        `round ${round}, load ${loadavg()[0]?.toFixed(1)}: CPU ${many.cpu.toFixed(1)} s against ${one.cpu.toFixed(1)} s ` +
          `(${ratio(many.cpu, one.cpu)}), bytes ${ratio(many.bytes, one.bytes)}, SSIM ${many.ssim} against ${one.ssim}`,
      );
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function inParts(directory: string, film: string) {
  const made = await transcodeInChunks(directory, film, CHUNKS);
  if ('why' in made) throw new Error(made.why.join('; '));
  return made;
}

async function run(work: () => ReturnType<typeof transcodeFile>) {
  let made: Awaited<ReturnType<typeof transcodeFile>> | undefined;
  const { cpu } = await measured(async () => {
    made = await work();
  });
  if (!made) throw new Error('nothing was made');
  const { renditions, audio, ssim } = made.result;
  return { cpu, ssim, bytes: [...renditions, ...audio].reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) };
}
