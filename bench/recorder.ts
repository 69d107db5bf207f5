/**
 * What the archive of a folder does to a recorder on the same disk and processors: two cameras of 25 Mbit/s, alone, beside `dropreel archive run`
 * as it is, and beside one that never pauses. A segment is late when it is not on the disk before the next one ends.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';

const CAMERAS = 2;
const SECONDS = 60;
const SEGMENT_MS = 2000;
/** Enough to be encoded for longer than the cameras record. */
const RECORDING_SECONDS = 60;
const BIN = resolve('dist/dropreel/dropreel.mjs');
const LIMITS = {
  'as it is': [],
  'without pauses': ['maxCpuPercent=100', 'maxIoWaitPercent=100'],
};

const Told = z.object({
  status: z.object({
    current: z.array(z.object({ phase: z.string(), percent: z.number() })),
    pauses: z.array(z.unknown()),
  }),
});

const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));

async function recorded(): Promise<number[]> {
  const cameras = join(directory, 'cameras');
  await mkdir(cameras, { recursive: true });
  const args = ['--import', 'tsx', 'bench/support/recorder.ts', cameras, String(CAMERAS), String(SECONDS)];
  const { stdout } = await execa('node', args);
  return (JSON.parse(stdout) as number[]).toSorted((a, b) => a - b);
}

function row(beside: string, delays: number[], archive: string): string {
  const at = (part: number) =>
    `${(delays[Math.min(delays.length - 1, Math.floor(part * delays.length))] ?? 0).toFixed(0)} ms`;
  const late = delays.filter((ms) => ms > SEGMENT_MS).length;
  const load = loadavg()[0]?.toFixed(1);
  return `| ${[beside, delays.length, late, at(0.5), at(0.99), at(1), archive, load].join(' | ')} |`;
}

async function beside(name: keyof typeof LIMITS): Promise<string> {
  const folder = join(directory, name);
  await mkdir(folder);
  const file = join(folder, 'old.mp4');
  const pictures = `testsrc2=size=1920x1080:rate=25:duration=${RECORDING_SECONDS}`;
  const how = ['-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '10M', '-pix_fmt', 'yuv420p', file];
  await execa('ffmpeg', ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', pictures, ...how]);
  await execa('touch', ['-d', '2020-01-01', file]);
  const archive = (...args: string[]) =>
    execa('node', [BIN, 'archive', ...args, '--folder', folder], { reject: false, env: { HOME: directory } });
  await archive('enable', '--set', 'minFreeSpaceGb=0', ...LIMITS[name]);
  const running = archive('run', '--force');
  const delays = await recorded();
  const told = await archive('status', '--json');
  if (told.exitCode !== 0) throw new Error(`status: ${told.stderr}`);
  const { status } = Told.parse(JSON.parse(told.stdout));
  const [current] = status.current;
  running.kill('SIGTERM');
  await running;
  const did = current ? `${current.phase}, ${current.percent} %` : 'done';
  return row(`the archive, ${name}`, delays, `${did}; ${status.pauses.length} pauses`);
}

try {
  console.log(
    `${CAMERAS} cameras of 25 Mbit/s for ${SECONDS} s, ${availableParallelism()} processors. Delay: from the end of a segment.`,
  );
  console.log('| beside | segments | late | median | 99 % | longest | what the archive did | load |');
  console.log('|---|---|---|---|---|---|---|---|');
  console.log(row('nothing', await recorded(), ''));
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) console.log(await beside(name));
} finally {
  await rm(directory, { recursive: true, force: true });
}
