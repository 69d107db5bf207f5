import { copyFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { FILES } from '../../../core/contracts/outputs.ts';
import { announced } from '../../../core/media/announced.ts';
import { objectsOf } from '../../../engines/mediaconvert/settings.ts';
import { takePosterTime } from '../encode.ts';
import { MARK, POSTER_TIME } from '../ffmpeg/filters.ts';
import { runFfmpeg } from '../ffmpeg/run.ts';
import { letWrite } from '../hand-over.ts';
import { joinOutputs } from '../join.ts';
import { captureDirectory } from '../pull-encoded.ts';
import { encodeTask } from './encode.ts';
import type { TaskContext } from './task.ts';

/** In the place of `encode`: the same files, of what MediaConvert has encoded and `pullEncoded` has brought. */
export const assembleTask: typeof encodeTask = {
  name: encodeTask.name,
  outcome: encodeTask.outcome,
  isNeeded: () => true,
  async run(context) {
    const { tools, scratch, plan, signal } = context;
    const { out } = scratch;
    await letWrite(tools, out);
    const posterTime = await takePictures(context);
    await joinOutputs(tools, plan, { out, signal });
    return {
      decoded: announced(plan),
      announced: true,
      captions: [],
      late: [],
      warnings: [],
      skipped: [],
      ...posterTime,
    };
  },
};

/** The thumbnail is the last capture of its grid, and the poster the most representative of all of its own. */
async function takePictures({ tools, scratch, plan, signal }: TaskContext): Promise<{ posterSeconds?: number }> {
  const { out } = scratch;
  const directory = captureDirectory(scratch);
  const there = new Set(await readdir(directory));
  const { thumbnail = [], poster = [] } = objectsOf(plan).captures;
  const shown = thumbnail.filter((name) => there.has(name)).at(-1);
  if (shown !== undefined) await copyFile(join(directory, shown), join(out, FILES.thumbnail.file));
  const candidates = poster.filter((name) => there.has(name));
  const [first] = candidates;
  if (!plan.poster || first === undefined) return {};
  const pattern = join(relative(out, directory), first.replace('0000000', '%07d'));
  const choose = `thumbnail=${candidates.length},${MARK},metadata=mode=print:key=picture:file=${POSTER_TIME}:direct=1`;
  const args = [
    ...['-protocol_whitelist', 'file', '-f', 'image2', '-framerate', '1', '-start_number', '0', '-i', pattern],
    ...['-vf', choose, '-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '3', '-f', 'image2', '-update', '1'],
  ];
  await runFfmpeg(tools, [...args, FILES.poster.file], { cwd: out, signal });
  // One a second, so that the time is the number.
  const { posterSeconds: number = 0 } = await takePosterTime(out);
  return plan.posterLarge ? { posterSeconds: number * plan.poster.everySeconds } : {};
}
