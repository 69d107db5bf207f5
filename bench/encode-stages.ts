import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ladderArguments, soundArguments } from '../containers/transcoder/ffmpeg/arguments.ts';
import { runFfmpeg } from '../containers/transcoder/ffmpeg/run.ts';
import { fileInput } from '../containers/transcoder/input/input.ts';
import { probeSource } from '../containers/transcoder/probe.ts';
import { openScratch } from '../containers/transcoder/scratch.ts';
import { runStages } from '../containers/transcoder/stages.ts';
import { PRESETS } from '../core/contracts/presets.ts';
import type { EncodePlan } from '../core/media/encode-plan.ts';
import { planEncode } from '../core/media/plan.ts';
import { type Cost, longClip, measured, TOOLS } from './support/encode-bench.ts';
import { SHARED_MEDIA } from './support/ffmpeg.ts';

const ROUNDS = 3;
/** Of the phone clip. */
const SECONDS = 10;
/** A real clip of 432p, as it is: its pixels need no other range or format, which the one process would leave out. */
const SMALL = join(SHARED_MEDIA, 'traffic-432p.mp4');

/** What the stages make, by one process that reads the source itself: no pipe, no account of what was decoded. */
function oneProcess({ video, audio, ...plan }: EncodePlan, source: string): string[] {
  if (!video || !audio) throw new Error('the clip has picture and sound');
  const [ladder, sound] = [
    ladderArguments({ video, audio, ...plan }, video, { encoder: 'libx264', scaler: 'memory' }),
    soundArguments(audio, plan),
  ];
  const outputs = [...ladder.slice(ladder.indexOf('-filter_complex')), ...sound.slice(sound.indexOf('-map'))];
  return ['-copyts', '-i', source, ...outputs];
}

const middle = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function compare(source: string, directory: string): Promise<void> {
  const { out: cwd, times } = await openScratch(join(directory, 'job'));
  const input = await fileInput(source);
  const { signal } = new AbortController();
  const { standard } = PRESETS;
  if (!standard) throw new Error('no preset standard');
  const { probe, ends } = await probeSource(TOOLS, input, signal);
  const plan = planEncode(probe, standard, ends);
  const run = {
    input,
    cwd,
    times,
    toneMap: false,
    onGpu: { decode: false, encode: false },
    signal,
    onProgress: () => undefined,
  };
  const pairs: [Cost, Cost][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const stages = await measured(() => runStages(TOOLS, plan, run));
    const one = await measured(() => runFfmpeg(TOOLS, oneProcess(plan, source), { cwd, signal }));
    pairs.push([stages, one]);
    console.log(`stages ${stages.cpu.toFixed(1)} s CPU, one process ${one.cpu.toFixed(1)} s CPU`);
  }
  const [stages, one] = [middle(pairs.map(([a]) => a.cpu)), middle(pairs.map(([, b]) => b.cpu))];
  const ratio = middle(pairs.map(([a, b]) => a.cpu / b.cpu));
  console.log(
    `${basename(source)}, medians of ${ROUNDS} pairs: ${stages.toFixed(1)} s CPU in stages, ${one.toFixed(1)} s in one process, ${ratio.toFixed(3)} times`,
  );
}

const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
try {
  const sources = [await longClip(directory, SECONDS), ...(existsSync(SMALL) ? [SMALL] : [])];
  for (const [i, source] of sources.entries()) await compare(source, join(directory, String(i)));
} finally {
  await rm(directory, { recursive: true, force: true });
}
