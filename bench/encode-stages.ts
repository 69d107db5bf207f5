import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const ROUNDS = 5;
const SECONDS = 30;

/** What the stages make, by one process that reads the source itself: no pipe, no account of what was decoded. */
function oneProcess({ video, audio, ...plan }: EncodePlan, source: string): string[] {
  if (!video || !audio) throw new Error('the clip has picture and sound');
  const [ladder, sound] = [ladderArguments({ video, audio, ...plan }, video, 'libx264'), soundArguments(audio, plan)];
  const outputs = [...ladder.slice(ladder.indexOf('-filter_complex')), ...sound.slice(sound.indexOf('-map'))];
  return ['-copyts', '-i', source, ...outputs];
}

const middle = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const directory = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
try {
  const source = await longClip(directory, SECONDS);
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
    `${SECONDS} s, medians of ${ROUNDS} pairs: ${stages.toFixed(1)} s CPU in stages, ${one.toFixed(1)} s in one process, ${ratio.toFixed(3)} times`,
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}
