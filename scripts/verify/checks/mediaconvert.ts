import type { Check, Run } from '../check.ts';
import { Failed, Skipped } from '../failed.ts';
import { collectionWith, type Made, makeWith } from '../made.ts';
import { encodedClip, framesOf, segmentsOf } from '../media.ts';

const PICTURES = 'testsrc2=duration=7:size=320x180:rate=';
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=7'];

interface Clip {
  name: string;
  of: string;
  args: readonly string[];
  /** MediaConvert writes constant rates only, and so another number of pictures. */
  varies?: boolean;
}

/**
 * What no page says of MediaConvert: docs/decisions/0108-mediaconvert.md. Each with the arguments of FFmpeg that make its clip, seven seconds,
 * so that there is a second segment.
 */
const CLIPS: readonly Clip[] = [
  {
    name: 'tall.mp4',
    of: 'a shape that rungs do not fit',
    args: ['-f', 'lavfi', '-i', 'testsrc2=duration=3:size=406x720:rate=25'],
  },
  {
    name: 'varying.mp4',
    of: 'a rate that varies',
    args: ['-f', 'lavfi', '-i', `${PICTURES}25,select=gt(mod(n\\,5)\\,0)`, ...SOUND, '-fps_mode', 'vfr'],
    varies: true,
  },
  ...['24000/1001', '30000/1001', '1503/100'].map((rate, i) => ({
    name: `rate-${i}.mp4`,
    of: `${rate} pictures a second`,
    args: ['-f', 'lavfi', '-i', `${PICTURES}${rate}`, ...SOUND],
  })),
  {
    name: 'soon.mp4',
    of: 'a picture that begins within a tenth of a second',
    args: [...SOUND, '-itsoffset', '0.08', '-f', 'lavfi', '-i', `${PICTURES}25`],
  },
  { name: 'sound.mp3', of: 'sound alone', args: SOUND },
];

/** A box may end some pixels short. */
const PIXELS = 2;
const SECONDS = 0.05;

/** MediaConvert makes the same of odd clips as workers do. */
export const mediaconvert: Check = {
  name: 'mediaconvert',
  promise: 'MediaConvert makes of odd clips what workers make of them',
  async run(run) {
    if (run.target.outputs.MediaConvertQueue === undefined) {
      throw new Skipped('The deployment has no MediaConvert ("mediaConvert" in cdk.json).');
    }
    const [theirs, ours] = [
      await collectionWith(run, 'mediaconvert', 'odd'),
      await collectionWith(run, 'batch-cpu', 'odd'),
    ];
    // Each to its end, because what one leaves is to be removed.
    const clips = CLIPS.slice(0, run.target.oddClips);
    const tried = await Promise.allSettled(clips.map((clip) => tryClip(run, clip, { theirs, ours })));
    const why = tried.flatMap((one, i) => {
      const found = one.status === 'rejected' ? [(one.reason as Error).message] : one.value;
      return found.map((what) => `${clips[i]?.of}: ${what}`);
    });
    if (why.length > 0) throw new Failed(why.join('; '));
    return clips.map(({ of }) => of).join('; ');
  },
};

async function tryClip(
  run: Run,
  { name, args, varies = false }: Clip,
  { theirs, ours }: { theirs: string; ours: string },
): Promise<string[]> {
  const file = await encodedClip(run, name, args);
  const [is, should] = await Promise.all([
    makeWith(run, 'mediaconvert', file, theirs),
    makeWith(run, 'batch-cpu', file, ours),
  ]);
  const isCounted = !varies && should.version.renditions.some(({ width }) => width !== undefined);
  return [...sizes(is, should), ...(isCounted ? await counts(is, should) : []), ...(await lengths(is, should))];
}

function sizes({ version }: Made, should: Made): string[] {
  const textOf = ({ version: { renditions } }: Made) => renditions.map(({ name }) => name).join(' ');
  const others = new Map(should.version.renditions.map((one) => [one.name, one]));
  if (version.renditions.length !== others.size) return [`it made other renditions than ${textOf(should)}`];
  return version.renditions.flatMap(({ name, width = 0, height = 0 }) => {
    const { width: w = 0, height: h = 0 } = others.get(name) ?? {};
    const isNear = Math.abs(width - w) <= PIXELS && Math.abs(height - h) <= PIXELS;
    return isNear ? [] : [`${name} has ${width}x${height} instead of ${w}x${h}`];
  });
}

async function counts(is: Made, should: Made): Promise<string[]> {
  const [frames, wanted] = [await framesOf(is.playback.hls), await framesOf(should.playback.hls)];
  return frames === wanted ? [] : [`${frames} pictures instead of ${wanted}`];
}

async function lengths(is: Made, should: Made): Promise<string[]> {
  const [segments, others] = [await segmentsOf(is.playback.hls), await segmentsOf(should.playback.hls)];
  const alike =
    segments.length === others.length && segments.every((one, i) => Math.abs(one - (others[i] ?? 0)) <= SECONDS);
  return alike ? [] : [`segments of ${segments.join(', ')} s instead of ${others.join(', ')} s`];
}
