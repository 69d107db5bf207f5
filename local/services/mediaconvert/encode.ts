import { JobError } from './job-error.ts';
import { checkLevel } from './levels.ts';
import { baseOf, writtenBy } from './names.ts';
import { filtersOf, outputSize, type Rate, rateOf, turnedSize } from './picture.ts';
import { CONFINED, type ProbedInput } from './probe.ts';
import type { CreateJob, Input, Output, OutputGroup, Settings } from './schema.ts';

/** From settings and input to FFmpeg's command: it knows nothing but these two. */

/** One output of a job, as it will be made. */
export interface PlannedOutput {
  group: number;
  output: Output;
  /** URI of its object, `%07d` for the number of a capture; and of its playlist. */
  media: string;
  playlist?: string;
  /** Its name beside the others while it is made. */
  file: string;
  picture?: { width: number; height: number; rate: Rate };
}

/** What a job can be told to do wrong. */
export interface Distortion {
  /** Ends the outputs after so many seconds, as of a truncated input. */
  endsAfter?: number;
  /** Makes each picture so many pixels narrower than it should be. */
  narrower?: number;
}

/** @throws JobError for settings that do not go together with this input */
export function planOutputs(settings: Settings, probed: ProbedInput, distortion: Distortion = {}): PlannedOutput[] {
  const [input] = settings.inputs;
  if (!input) return [];
  checkInput(settings, input, probed);
  let pictures = 0;
  return settings.outputGroups.flatMap((group, index) =>
    group.outputs.map((output, i): PlannedOutput => {
      const { media, playlist } = writtenBy(output, baseOf(group, input.fileInput));
      const ending = media.slice(media.lastIndexOf('/') + 1);
      const planned = { group: index, output, media, ...(playlist && { playlist }), file: `${index}-${i}-${ending}` };
      const { videoDescription: video } = output;
      if (!video || !probed.video) return planned;
      pictures += 1;
      const size = outputSize(video, turnedSize(input, probed, probed.video), pictures);
      const width = size.width - (distortion.narrower ?? 0);
      const picture = { width, height: size.height, rate: rateOf(video, probed.video, pictures) };
      checkLevel(video, picture, pictures);
      return { ...planned, picture };
    }),
  );
}

/** The texts are of jobs that failed: aws-media-services-simple-vod, video-on-demand-on-aws#45. */
function checkInput(settings: Settings, input: Input, { video, audio }: ProbedInput): void {
  const outputs = settings.outputGroups.flatMap(({ outputs: all }) => all);
  Object.values(input.audioSelectors).forEach(({ tracks }, i) => {
    const missing = tracks.find((number) => number > audio.length);
    if (missing === undefined) return;
    throw new JobError(
      1040,
      `Invalid audio track specified for audio_selector [${i + 1}]. Audio track [${missing}] not found in input container.`,
    );
  });
  if (!video && outputs.some(({ videoDescription }) => videoDescription)) {
    throw new JobError(1020, 'No video was found in the input.');
  }
  for (const { media } of outputs.flatMap((output) => pathsOf(settings, output))) {
    if (media === input.fileInput) {
      throw new JobError(1040, `Duplicate input and output path [${media}] found in job.`);
    }
  }
}

function pathsOf(settings: Settings, output: Output) {
  const group = settings.outputGroups.find(({ outputs }) => outputs.includes(output));
  return group ? [writtenBy(output, baseOf(group, settings.inputs[0]?.fileInput ?? ''))] : [];
}

/** Acceleration takes no outputs of sound alone: https://docs.aws.amazon.com/mediaconvert/latest/ug/job-requirements.html. The text is a guess. */
export function checkAcceleration({ accelerationSettings, settings }: CreateJob): void {
  const alone = settings.outputGroups.some(({ outputs }) => outputs.some(({ videoDescription }) => !videoDescription));
  if (accelerationSettings.mode !== 'ENABLED' || !alone) return;
  throw new JobError(1041, 'Acceleration is not supported with outputs that have no picture.');
}

export interface EncodeRun {
  settings: Settings;
  probed: ProbedInput;
  outputs: readonly PlannedOutput[];
  /** File of the input, beside which the outputs are made. */
  source: string;
  /** File to which FFmpeg writes how far it is. */
  progress: string;
  /** Whether this FFmpeg can convert colours. */
  tonemaps: boolean;
  distortion: Distortion;
}

export function ffmpegArguments(run: EncodeRun): string[] {
  const { source, outputs, progress, distortion } = run;
  return [
    ...['-hide_banner', '-nostdin', '-v', 'error', '-y', '-progress', progress, ...CONFINED],
    // It turns pictures where the settings say so, and only there.
    ...['-noautorotate', '-i', source],
    ...outputs.flatMap((output) => {
      const { endsAfter } = distortion;
      const made = argumentsOf(output, run);
      const limit = endsAfter === undefined ? [] : ['-t', String(endsAfter)];
      return made.length === 0 ? [] : [...made, ...limit, '-map_metadata', '-1', '-map_chapters', '-1', output.file];
    }),
  ];
}

function argumentsOf(planned: PlannedOutput, run: EncodeRun): string[] {
  const { output, picture } = planned;
  const { videoDescription: video, audioDescriptions } = output;
  const captures = video?.codecSettings.codec === 'FRAME_CAPTURE';
  if (picture && captures) return captureArguments(planned, run);
  return [
    ...(picture ? h264Arguments(planned, run) : []),
    ...audioDescriptions.flatMap((_, i) => soundArguments(output, i, run)),
    ...(picture || audioDescriptions.length > 0 ? containerArguments(output, groupOf(planned, run)) : []),
  ];
}

const groupOf = ({ group }: PlannedOutput, { settings }: EncodeRun) => settings.outputGroups[group] as OutputGroup;

function pictureFilters({ output, picture }: PlannedOutput, { settings, probed, tonemaps }: EncodeRun): string[] {
  const [input] = settings.inputs;
  const { videoDescription: video } = output;
  if (!input || !video || !picture || !probed.video) return [];
  const { turn } = turnedSize(input, probed, probed.video);
  return filtersOf(video, { input, track: probed.video, size: picture, turn, tonemaps });
}

/** CRF of x264 that stands for a level of quality; the service's encoder and its levels are its own. */
const crfOf = (level: number) => 31 - level;

function h264Arguments(planned: PlannedOutput, run: EncodeRun): string[] {
  const { picture, output } = planned;
  const settings = output.videoDescription?.codecSettings.h264Settings;
  if (!picture || !settings) return [];
  const { num, den } = picture.rate;
  const frames = settings.gopSizeUnits === 'FRAMES' ? settings.gopSize : Math.ceil((settings.gopSize * num) / den);
  const most = settings.maxBitrate ?? settings.bitrate ?? 1_000_000;
  return [
    ...['-map', `0:${run.probed.video?.index}`],
    ...['-vf', [`fps=${num}/${den}:start_time=0`, ...pictureFilters(planned, run)].join(',')],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', settings.codecProfile.toLowerCase()],
    ...(settings.rateControlMode === 'QVBR'
      ? ['-crf', String(crfOf(settings.qvbrSettings?.qvbrQualityLevel ?? 8))]
      : ['-b:v', String(settings.bitrate)]),
    ...['-maxrate', String(most), '-bufsize', String(settings.hrdBufferSize ?? most * 2)],
    ...['-g', String(frames), '-keyint_min', String(frames), '-sc_threshold', '0', '-flags', '+cgop'],
  ];
}

function soundArguments(output: Output, i: number, { settings, probed }: EncodeRun): string[] {
  const { audioSourceName = '', codecSettings, audioNormalizationSettings } = output.audioDescriptions[i] ?? {};
  const aac = codecSettings?.aacSettings;
  const tracks = settings.inputs[0]?.audioSelectors[audioSourceName]?.tracks ?? [];
  const indices = tracks.flatMap((number) => probed.audio[number - 1]?.index ?? []);
  if (!aac || indices.length === 0) return [];
  const channels = { CODING_MODE_1_0: 1, CODING_MODE_2_0: 2, CODING_MODE_5_1: 6 }[aac.codingMode];
  const label = `[sound${indices.join('_')}]`;
  const joined = indices.map((index) => `[0:${index}]`).join('');
  const loud = audioNormalizationSettings ? [loudness(audioNormalizationSettings)] : [];
  return [
    ...(indices.length > 1
      ? [
          '-filter_complex',
          `${joined}${[`amerge=inputs=${indices.length}`, ...loud].join(',')}${label}`,
          ...['-map', label],
        ]
      : ['-map', `0:${indices[0]}`]),
    // Silence in gaps and before a late start.
    ...(indices.length > 1 ? [] : ['-af', ['aresample=async=1:first_pts=0', ...loud].join(',')]),
    ...['-c:a', 'aac', '-b:a', String(aac.bitrate ?? 128_000)],
    ...['-ac', String(channels), '-ar', String(aac.sampleRate)],
  ];
}

type Normalization = NonNullable<Output['audioDescriptions'][number]['audioNormalizationSettings']>;

/** What the service's own correction sounds like is not known: it is measured to come to the target. */
function loudness({ algorithm, algorithmControl, targetLkfs, truePeakLimiterThreshold = 0 }: Normalization): string {
  if (algorithmControl === 'MEASURE_ONLY') return 'anull';
  const target = targetLkfs ?? (algorithm === 'ITU_BS_1770_1' ? -24 : -23);
  return `loudnorm=I=${Math.min(Math.max(target, -70), -5)}:TP=${truePeakLimiterThreshold}:LRA=20`;
}

function containerArguments({ containerSettings, videoDescription }: Output, group: OutputGroup): string[] {
  const { cmafGroupSettings: cmaf } = group.outputGroupSettings;
  if (containerSettings.container === 'MP4' || !cmaf) return ['-movflags', '+faststart', '-f', 'mp4'];
  const signed = cmaf.videoCompositionOffsets === 'SIGNED';
  return [
    ...['-movflags', `+default_base_moof+delay_moov${videoDescription ? '+frag_keyframe' : ''}`],
    // Signed offsets let the first picture be shown at 0, which FFmpeg's fragments do by an edit list. Unsigned ones show it later.
    ...(signed ? ['-avoid_negative_ts', 'disabled'] : ['-use_editlist', '0']),
    ...(videoDescription ? [] : ['-frag_duration', String(cmaf.fragmentLength * 1_000_000)]),
    ...['-f', 'mp4'],
  ];
}

/** The first picture, then one every denominator/numerator seconds. */
function captureArguments(planned: PlannedOutput, run: EncodeRun): string[] {
  const settings = planned.output.videoDescription?.codecSettings.frameCaptureSettings;
  if (!settings) return [];
  const { framerateNumerator: num, framerateDenominator: den, maxCaptures, quality } = settings;
  const step = (time: string) => `floor((${time}-start_t)*${num}/${den}+0.000001)`;
  const chosen = `select='isnan(prev_selected_t)+gt(${step('t')},${step('prev_selected_t')})'`;
  return [
    ...['-map', `0:${run.probed.video?.index}`],
    ...['-vf', [chosen, ...pictureFilters(planned, run)].join(',')],
    ...(maxCaptures === undefined ? [] : ['-frames:v', String(maxCaptures)]),
    // 1 to 100 of the service is 31 to 2 of FFmpeg's encoder.
    ...['-fps_mode', 'vfr', '-c:v', 'mjpeg', '-q:v', String(Math.round(31 - (quality * 29) / 100))],
    ...['-color_range', 'pc', '-strict', 'unofficial', '-start_number', '0', '-f', 'image2'],
  ];
}
