import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ladderArguments } from '../../../../containers/transcoder/ffmpeg/arguments.ts';
import { openScratch, readMarker, type Scratch, writeMarker } from '../../../../containers/transcoder/scratch.ts';
import { MAKERS, TASKS } from '../../../../containers/transcoder/tasks/index.ts';
import { verifyTask } from '../../../../containers/transcoder/tasks/verify.ts';
import { waveformTask } from '../../../../containers/transcoder/tasks/waveform.ts';
import { PRESETS, type Preset } from '../../../../core/contracts/presets.ts';
import { planEncode } from '../../../../core/media/plan.ts';
import type { AudioTrack, MediaProbe, VideoTrack } from '../../../../core/media/probe.ts';

const sound: AudioTrack = { index: 1, codec: 'aac', channels: 2, sampleRate: 44_100, endSeconds: 60 };
const picture: VideoTrack = {
  index: 0,
  codec: 'h264',
  coded: { width: 640, height: 360 },
  displayed: { width: 640, height: 360 },
  pixelFormat: 'yuv420p',
  color: { primaries: undefined, transfer: undefined, matrix: undefined },
  frameRate: { num: 25, den: 1 },
  baseRate: { num: 25, den: 1 },
  constantRate: true,
  interlaced: false,
  startSeconds: 0,
  endSeconds: 60,
};
const film: MediaProbe = {
  format: 'mov,mp4',
  startSeconds: 0,
  durationSeconds: 60,
  video: picture,
  audio: sound,
  skipped: [],
};
const song: MediaProbe = { format: 'mp3', startSeconds: 0, durationSeconds: 60, audio: sound, skipped: [] };

function neededFor(probe: MediaProbe, outputs: Partial<Preset['outputs']> = {}): string[] {
  const preset = PRESETS.standard as Preset;
  const wanted = { ...preset, outputs: { ...preset.outputs, ...outputs } };
  const plan = planEncode(probe, wanted, { video: 60, audio: 60 });
  return TASKS.filter((task) => task.isNeeded(plan)).map(({ name }) => name);
}

describe('the tasks of a transcode', () => {
  it('of a video include no waveform', () => {
    expect(neededFor(film)).toEqual(['encode', 'verify', 'preview', 'poster']);
  });
  it('of an audio file include one before the verification', () => {
    expect(neededFor(song)).toEqual(['encode', 'waveform', 'verify', 'preview']);
  });
  it('are those of the outputs that the preset includes', () => {
    expect(neededFor(song, { waveform: false, preview: false })).toEqual(['encode', 'verify']);
  });
  it('have distinct names, and each output has its task on the list', () => {
    expect(new Set(TASKS.map(({ name }) => name)).size).toBe(TASKS.length);
    expect(Object.values(MAKERS).filter((task) => !TASKS.includes(task))).toEqual([]);
  });
});

describe('the marker of a task', () => {
  let root: string;
  let scratch: Scratch;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'dropreel-tasks-'));
    scratch = await openScratch(root);
  });
  afterAll(() => rm(root, { recursive: true }));

  it('returns the outcome of the task', async () => {
    await writeMarker(scratch, 'waveform.done.json', { seconds: 60, length: 1200 });
    expect(await readMarker(scratch, 'waveform.done.json', waveformTask.outcome)).toEqual({
      seconds: 60,
      length: 1200,
    });
  });
  it('is ignored when it is missing, truncated, or of another shape', async () => {
    await writeFile(join(root, 'cut.done.json'), '{"seconds":60,');
    await writeMarker(scratch, 'other.done.json', { seconds: '60' });
    for (const name of ['none.done.json', 'cut.done.json', 'other.done.json']) {
      expect(await readMarker(scratch, name, waveformTask.outcome)).toBeNull();
    }
    expect(await readMarker(scratch, 'none.done.json', verifyTask.outcome)).toBeNull();
  });
});

it('each still has a graph of its own, because FFmpeg 7.1 keeps all pictures of a graph until its last output has one', () => {
  const plan = planEncode(film, PRESETS.standard as Preset, { video: 60, audio: 60 });
  const args = plan.video ? ladderArguments(plan, plan.video, { encoder: 'libx264', scaler: 'memory' }) : [];
  const graphs = args.filter((_, i) => args[i - 1] === '-filter_complex');
  expect(graphs.map((graph) => graph.match(/\[(?:poster|thumbnail)\]$/)?.[0])).toEqual([
    undefined,
    '[thumbnail]',
    '[poster]',
  ]);
});
