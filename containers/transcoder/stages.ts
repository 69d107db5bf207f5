import { pipeline } from 'node:stream/promises';
import { DropreelError } from '../../core/contracts/errors.ts';
import { checkTime, type Decoded, type DecodedPictures, type DecodedSound } from '../../core/media/decoded.ts';
import type { AudioPlan, EncodePlan } from '../../core/media/encode-plan.ts';
import type { SoundHoles } from '../../core/media/losses.ts';
import { checkPictures } from '../../core/media/probe.ts';
import { SoundClock } from '../../core/media/sound-clock.ts';
import { recordPictures, soundInTime } from './decode-record.ts';
import { decodeArguments, ladderArguments, PCM_FD, SAMPLE_BYTES, soundArguments } from './ffmpeg/arguments.ts';
import { type Complaints, type LateTrack, plain } from './ffmpeg/complaints.ts';
import { PICTURES_FD, SOUNDS_FD } from './ffmpeg/filters.ts';
import { encodedSeconds, type FfmpegProgress, ProgressReader } from './ffmpeg/progress.ts';
import { REPORTING, SAYING, TELLING, type Tools } from './ffmpeg/run.ts';
import { checkStages, end, hasFailed, inputOf, outputOf, type Stage, startStage } from './ffmpeg/stage.ts';
import type { Input } from './input/input.ts';

/** Which of the work with pictures a GPU does. */
export interface OnGpu {
  decode: boolean;
  /** Of the ladder; only where it encodes, too. */
  scale?: true;
  encode: boolean;
}

export interface StagesRun {
  input: Input;
  cwd: string;
  /** File for the times of the decoded pictures. */
  times: string;
  toneMap: boolean;
  onGpu: OnGpu;
  signal: AbortSignal;
  onProgress: (progress: FfmpegProgress) => void;
}

export interface StagesOutcome {
  decoded: Decoded;
  last: FfmpegProgress | undefined;
  /** The decode's warnings and errors, cut, without addresses. */
  stderr: string;
  /** The first error after which the decode went on. */
  fault: string | undefined;
  /** The first gap in the counters of a transport stream. */
  gap: string | undefined;
  /** Packets that gave nothing. Those before the first picture belong to a group of pictures that began before the file. */
  undecoded: { pictures: number; sound: number };
  holes: SoundHoles | undefined;
  /** Where sound was cut, and how much of it. */
  overlaps: SoundClock['overlaps'];
  /** Tracks that nobody knew of when the decode began. */
  late: LateTrack[];
  /** Of the top rung against the pictures that it was encoded of; not known of a GPU's. */
  ssim: number | undefined;
}

/**
 * Encodes with up to three ffmpegs at once: a decode, which makes every picture and sample alike and tells their times; the ladder, which
 * reads its pictures from a pipe; the sound, which the worker puts in its place between the two. docs/decisions/0400-two-stages.md
 * @throws DropreelError, or the signal's reason
 */
export async function runStages(tools: Tools, plan: EncodePlan, run: StagesRun): Promise<StagesOutcome> {
  const { cwd, signal } = run;
  const stages: Stage[] = [];
  const stop = () => end(stages);
  signal.addEventListener('abort', stop);
  process.once('exit', stop);
  const start = async (args: string[], stdio: Parameters<typeof startStage>[3]) => {
    signal.throwIfAborted();
    const stage = await startStage(tools, args, cwd, stdio);
    stages.unshift(stage);
    if (signal.aborted) stop();
    void stage.ended.then(() => hasFailed(stage) && stop());
    return stage;
  };
  try {
    const sound =
      plan.audio && (await start([...REPORTING, ...soundArguments(plan.audio, plan)], ['pipe', 'pipe', 'pipe']));
    const encoder = run.onGpu.encode ? 'h264_nvenc' : 'libx264';
    const scaler = run.onGpu.scale ? 'cuda' : 'memory';
    const ladder =
      plan.video &&
      (await start([...TELLING, ...ladderArguments(plan, plan.video, { encoder, scaler })], ['pipe', 'pipe', 'pipe']));
    const pictures = ladder ? inputOf(ladder) : 'ignore';
    const decode = await start(
      [...SAYING, ...decodeArguments(plan, run.input, { toneMap: run.toneMap, onGpu: run.onGpu.decode, cwd })],
      ['ignore', pictures, 'pipe', 'pipe', 'pipe', 'pipe'],
    );
    // The decode has its own copy, and must learn when the ladder's is closed.
    if (ladder) inputOf(ladder).destroy();
    return await follow(plan, run, { decode, ladder, sound, stages, stop });
  } finally {
    stop();
    await Promise.all(stages.map(({ ended }) => ended));
    signal.removeEventListener('abort', stop);
    process.removeListener('exit', stop);
  }
}

interface Running {
  decode: Stage;
  ladder: Stage | undefined;
  sound: Stage | undefined;
  /** All of them, the decode first. */
  stages: readonly Stage[];
  stop: () => void;
}

async function follow(plan: EncodePlan, run: StagesRun, running: Running): Promise<StagesOutcome> {
  const { decode, ladder, sound, stages, stop } = running;
  const { video, audio } = plan;
  let decodedSoFar = { count: 0, last: 0 };
  let seconds = 0;
  const began = performance.now();
  const tell = (report: FfmpegProgress) => {
    seconds = Math.max(seconds, encodedSeconds(report.frames ?? 0, decodedSoFar, video?.retime));
    const speed = Math.round((seconds * 1e5) / (performance.now() - began)) / 100;
    run.onProgress(ladder ? { ...report, seconds, speed } : report);
  };
  const reported = readProgress(ladder ?? sound, tell);
  if (ladder && sound) outputOf(sound, 1).resume();
  for (const unused of [...(video ? [] : [PICTURES_FD]), ...(audio ? [] : [SOUNDS_FD, PCM_FD])]) {
    outputOf(decode, unused).resume();
  }
  let before = 0;
  const onPicture = (recorded: Readonly<DecodedPictures>) => {
    // Of pictures between a seek and the first that is wanted, which refer to what was not decoded.
    if (recorded.count === 1 && plan.chunk && plan.chunk.start > 0) decode.said.forget();
    if (recorded.count === 1) before = video ? decode.said.undecoded(video.track) : 0;
    decodedSoFar = recorded;
    if (!video) return;
    checkPictures(recorded.count, video);
    checkTime('picture', recorded.last, video.endSeconds, plan);
  };
  const pictures = video && recordPictures(outputOf(decode, PICTURES_FD), video.timescale, run.times, onPicture);
  const clock = audio && new SoundClock(audio.sampleRate, { alone: !video, rough: audio.roughTimes });
  const samples = audio && sound && clock && placeSound(decode, sound, clock, audio, plan);
  const work = [pictures, samples].map((task) => task?.catch(stopWith(stop)));
  const results = await Promise.allSettled([...work, ...stages.map(({ ended }) => ended)]);
  run.signal.throwIfAborted();
  const decoded: Decoded = { ...(await kept('pictures', pictures)), ...(await kept('sound', samples)) };
  const hasDecoded = (decoded.pictures?.count ?? 0) + (decoded.sound?.samples ?? 0) > 0;
  const last = reported();
  const failed = results.find((result) => result.status === 'rejected');
  // It ended the stages, whose ends say nothing then.
  if (failed?.reason instanceof DropreelError) throw failed.reason;
  checkStages(stages, (stage) => (stage === decode ? hasDecoded : (last?.frames ?? last?.seconds ?? 0) > 0));
  if (failed) throw failed.reason;
  const { said } = decode;
  const undecoded = {
    pictures: video ? said.undecoded(video.track) - before : 0,
    sound: audio ? Math.max(undecodedSound(said, audio), said.mismatches) : 0,
  };
  return {
    decoded,
    last,
    stderr: plain(said.tail),
    fault: said.fault,
    gap: said.gap,
    undecoded,
    holes: clock?.holes,
    overlaps: clock?.overlaps ?? [],
    late: said.late,
    ssim: ladder?.info.ssim,
  };
}

function undecodedSound(said: Complaints, { track, right }: AudioPlan): number {
  return said.undecoded(track) + (right === undefined ? 0 : said.undecoded(right));
}

function stopWith(stop: () => void): (error: unknown) => never {
  return (error) => {
    stop();
    throw error;
  };
}

async function kept<Name extends keyof Decoded>(name: Name, task: Promise<Decoded[Name]> | undefined) {
  const value = await task?.catch(() => undefined);
  return value === undefined ? {} : { [name]: value };
}

async function placeSound(
  decode: Stage,
  sound: Stage,
  clock: SoundClock,
  { channels, sampleRate, endSeconds }: AudioPlan,
  plan: EncodePlan,
): Promise<DecodedSound> {
  const [pcm, output] = [outputOf(decode, PCM_FD), outputOf(decode, SOUNDS_FD)];
  const check = () => checkTime('sound', clock.position / sampleRate, endSeconds, plan);
  await pipeline(soundInTime(pcm, output, clock, { frameBytes: channels * SAMPLE_BYTES, check }), inputOf(sound));
  const { decoded, before, filled, cut } = clock;
  return { samples: decoded, before, filled, cut };
}

/** Passes on the reports of a stage; the function returned gives the last one. */
function readProgress(stage: Stage | undefined, onProgress: StagesRun['onProgress']): () => FfmpegProgress | undefined {
  const reader = new ProgressReader();
  let last: FfmpegProgress | undefined;
  if (stage === undefined) return () => undefined;
  outputOf(stage, 1)
    .setEncoding('utf8')
    .on('data', (text: string) => {
      for (const report of reader.read(text)) {
        last = report;
        onProgress(report);
      }
    });
  return () => last;
}
