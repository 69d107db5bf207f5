import { FILES } from '../../../core/contracts/outputs.ts';
import type { Warning } from '../../../core/contracts/warnings.ts';
import { gpuUse, meanSsim } from '../../../core/media/chunk-record.ts';
import { type Decoded, endWarnings } from '../../../core/media/decoded.ts';
import { leftOut } from '../../../core/media/losses.ts';
import { renditionName } from '../../../core/media/segments.ts';
import { carriedCaptions } from '../captions.ts';
import { bringParts, type Parts } from '../chunks/bring.ts';
import { NotExact } from '../chunks/doubt.ts';
import { recordedTimes } from '../decode-record.ts';
import { checkDecoded, type Encoded, findToneMap, takePosterTime } from '../encode.ts';
import { posterChain } from '../ffmpeg/filters.ts';
import { runFfmpeg } from '../ffmpeg/run.ts';
import { brokenCap } from '../gpu.ts';
import { letWrite, takeOver } from '../hand-over.ts';
import { joinOutputs } from '../join.ts';
import { empty, needDisk } from '../scratch.ts';
import { encodeTask } from './encode.ts';
import type { TaskContext } from './task.ts';

/** In the place of `encode`: the same files, of what other workers have encoded. */
export function joinTask(parts: Parts): typeof encodeTask {
  const { sound, warnings } = parts.sound;
  return {
    name: encodeTask.name,
    outcome: encodeTask.outcome,
    isNeeded: () => true,
    async run(context) {
      const { tools, scratch, plan, signal } = context;
      const { out } = scratch;
      await empty(out);
      await needDisk(scratch, plan.worstCaseBytes, 'What was encoded of this file');
      await bringParts(plan, scratch, parts, signal);
      const times = await recordedTimes(scratch.times);
      const decoded: Decoded = { ...pictures(times), ...(sound && { sound }) };
      checkDecoded(plan, decoded, undefined, '');
      await letWrite(tools, out);
      await joinOutputs(tools, plan, { out, signal });
      const gpu = gpuUse(parts.chunks);
      const broken = gpu?.encode ? await brokenCap(plan, out) : undefined;
      if (broken !== undefined) throw new NotExact(broken);
      const poster = await takePoster(context);
      const frames = parts.chunks.reduce((total, chunk) => total + chunk.frames, 0);
      const { captions, warnings: lost } = await carriedCaptions(plan, out);
      const { unconverted } = await findToneMap(tools, plan);
      const said: Warning[] = [
        ...unconverted.warnings,
        ...lost,
        ...(plan.video ? leftOut(plan.video, frames, times) : []),
        ...warnings,
        ...endWarnings({ ...pictures(times) }, plan),
      ];
      const ssim = meanSsim(parts.chunks);
      const measured = ssim !== undefined && { ssim };
      return {
        frames,
        decoded,
        readBack: true,
        captions,
        late: [],
        ...measured,
        ...(gpu && { gpu }),
        ...unconverted,
        warnings: said,
        ...poster,
      };
    },
  };
}

function pictures(times: Float64Array): Pick<Decoded, 'pictures'> {
  let longestStep = 0;
  for (let i = 1; i < times.length; i++) longestStep = Math.max(longestStep, (times[i] ?? 0) - (times[i - 1] ?? 0));
  return { pictures: { count: times.length, first: times[0] ?? 0, last: times.at(-1) ?? 0, longestStep } };
}

/** Of the keyframes of the smallest rung, which are two seconds apart: no chunk has seen the whole film. */
async function takePoster({ tools, scratch, plan, signal }: TaskContext): Promise<Pick<Encoded, 'posterSeconds'>> {
  const { poster, posterLarge, video } = plan;
  const smallest = video?.rungs.at(-1);
  if (!poster || !smallest) return {};
  const { out } = scratch;
  await letWrite(tools, out);
  const graph = `[0:v]${posterChain(poster, posterLarge !== undefined)}[poster]`;
  const args = [
    ...['-protocol_whitelist', 'file', '-skip_frame', 'nokey', '-i', renditionName(smallest.name)],
    ...[
      '-filter_complex',
      graph,
      '-map',
      '[poster]',
      '-frames:v',
      '2',
      '-fps_mode:v',
      'vfr',
      '-enc_time_base:v',
      '1:1000',
    ],
    ...['-c:v', 'mjpeg', '-q:v', '3', '-f', 'image2', '-update', '1', FILES.poster.file],
  ];
  await runFfmpeg(tools, args, { cwd: out, signal });
  await takeOver(tools, out);
  return posterLarge ? takePosterTime(out) : {};
}
