import { aacFaults } from './aac-rules.ts';
import { h264Faults } from './h264-rules.ts';
import { baseOf, writtenBy } from './names.ts';
import type { Fault } from './refusal.ts';
import type { CreateJob, Output, OutputGroup, Settings, VideoDescription } from './schema.ts';

/** What the service refuses in settings whose members are all right by themselves. Texts that no source has are marked as guesses. */

export function settingsFaults({ settings }: CreateJob): Fault[] {
  return [
    ...settings.outputGroups.flatMap((group, i) => groupFaults(group, settings, `/outputGroups/${i}`)),
    ...duplicates(settings),
  ];
}

const OWN_SETTINGS = { CMAF_GROUP_SETTINGS: 'cmafGroupSettings', FILE_GROUP_SETTINGS: 'fileGroupSettings' } as const;
const CONTAINERS = { CMAF_GROUP_SETTINGS: ['CMFC'], FILE_GROUP_SETTINGS: ['MP4', 'RAW'] } as const;

function groupFaults(group: OutputGroup, settings: Settings, path: string): Fault[] {
  const { type } = group.outputGroupSettings;
  const other = Object.values(OWN_SETTINGS).filter((name) => name !== OWN_SETTINGS[type]);
  const isOwn =
    group.outputGroupSettings[OWN_SETTINGS[type]] !== undefined &&
    other.every((name) => group.outputGroupSettings[name] === undefined);
  if (!isOwn) return [{ path: `${path}/outputGroupSettings`, text: DEPENDENCIES }];
  return [
    ...(type === 'CMAF_GROUP_SETTINGS' ? cmafFaults(group, path) : []),
    ...group.outputs.flatMap((output, i) => outputFaults(output, { group, settings }, `${path}/outputs/${i}`)),
  ];
}

const DEPENDENCIES = 'Should match all dependencies: See other errors for more details';

function outputFaults(
  output: Output,
  { group, settings }: { group: OutputGroup; settings: Settings },
  path: string,
): Fault[] {
  const { type } = group.outputGroupSettings;
  const { container } = output.containerSettings;
  const allowed: readonly string[] = CONTAINERS[type];
  const { videoDescription: video } = output;
  return [
    ...(allowed.includes(container)
      ? []
      : [{ path: `${path}/containerSettings/container`, text: `Must be ${allowed.join(' or ')}` }]),
    ...(video ? videoFaults(video, `${path}/videoDescription`) : []),
    ...(video ? captureFaults(output, group, path) : []),
    ...output.audioDescriptions.flatMap((audio, i) => aacFaults(audio, `${path}/audioDescriptions/${i}`)),
    ...sourceFaults(output, settings, path),
    ...mp4Faults(output, path),
  ];
}

const CODEC_SETTINGS = { H_264: 'h264Settings', FRAME_CAPTURE: 'frameCaptureSettings' } as const;

/** https://github.com/aws/aws-sdk-php/issues/2148 */
function videoFaults(video: VideoDescription, path: string): Fault[] {
  const { codecSettings } = video;
  const at = `${path}/codecSettings`;
  const given = Object.keys(CODEC_SETTINGS).filter(
    (codec) => codecSettings[CODEC_SETTINGS[codec as keyof typeof CODEC_SETTINGS]] !== undefined,
  );
  if (given.length === 0) return [{ path: at, text: 'Should have at least 2 properties' }];
  if (given.length > 1) return [{ path: at, text: 'Should have at most 2 properties' }];
  if (given[0] !== codecSettings.codec) {
    const name = CODEC_SETTINGS[given[0] as keyof typeof CODEC_SETTINGS];
    return [
      { path: `${at}/${name}`, text: DEPENDENCIES },
      { path: `${at}/codec`, text: `Must be ${given[0]}` },
    ];
  }
  return [...h264Faults(video, path), ...fractionFaults(video, at)];
}

/** The model: a specified rate or pixel shape needs both parts. The wording is that of other required members. */
function fractionFaults({ codecSettings }: VideoDescription, at: string): Fault[] {
  const { h264Settings: settings } = codecSettings;
  if (!settings) return [];
  const wanted = [
    ...(settings.framerateControl === 'SPECIFIED' ? (['framerateNumerator', 'framerateDenominator'] as const) : []),
    ...(settings.parControl === 'SPECIFIED' ? (['parNumerator', 'parDenominator'] as const) : []),
  ];
  return wanted
    .filter((name) => settings[name] === undefined)
    .map((name) => ({ path: `${at}/h264Settings`, text: `${name} is a required property` }));
}

/** https://docs.aws.amazon.com/mediaconvert/latest/ug/file-group-with-frame-capture-output.html; the texts are guesses. */
function captureFaults(output: Output, group: OutputGroup, path: string): Fault[] {
  if (output.videoDescription?.codecSettings.codec !== 'FRAME_CAPTURE') return [];
  const inFiles = group.outputGroupSettings.type === 'FILE_GROUP_SETTINGS';
  return [
    ...(inFiles && output.containerSettings.container === 'RAW'
      ? []
      : [{ path: `${path}/containerSettings/container`, text: 'Must be RAW in a file group' }]),
    ...(output.audioDescriptions.length === 0
      ? []
      : [{ path: `${path}/audioDescriptions`, text: 'Should have at most 0 items' }]),
  ];
}

/** Names of selectors that an input lacks. The text is a guess. */
function sourceFaults(output: Output, { inputs }: Settings, path: string): Fault[] {
  const lacks = (kind: 'audioSelectors' | 'captionSelectors', name: string) =>
    inputs.some((input) => !Object.hasOwn(input[kind], name));
  return [
    ...output.audioDescriptions.flatMap(({ audioSourceName: name }, i) =>
      lacks('audioSelectors', name)
        ? [{ path: `${path}/audioDescriptions/${i}/audioSourceName`, text: `No input has the selector ${name}` }]
        : [],
    ),
    ...output.captionDescriptions.flatMap(({ captionSelectorName: name }, i) =>
      lacks('captionSelectors', name)
        ? [{ path: `${path}/captionDescriptions/${i}/captionSelectorName`, text: `No input has the selector ${name}` }]
        : [],
    ),
  ];
}

/** The model: version 1 only where composition times start at 0. The text is a guess. */
function mp4Faults({ containerSettings }: Output, path: string): Fault[] {
  const { cttsVersion, cslgAtom } = containerSettings.mp4Settings ?? {};
  if (cttsVersion !== 1 || cslgAtom === 'INCLUDE') return [];
  return [{ path: `${path}/containerSettings/mp4Settings/cslgAtom`, text: 'Must be INCLUDE' }];
}

function cmafFaults(group: OutputGroup, path: string): Fault[] {
  const { cmafGroupSettings: settings } = group.outputGroupSettings;
  if (!settings) return [];
  const at = `${path}/outputGroupSettings/cmafGroupSettings`;
  const { minFinalSegmentLength: final, segmentLength, fragmentLength } = settings;
  return [
    ...group.outputs.flatMap((output, i) => cmafOutputFaults(output, `${path}/outputs/${i}`)),
    ...soundFaults(group, path),
    ...(settings.segmentLengthControl === 'MATCH' ? matchFaults(group, at) : []),
    // The model's documentation says these two; their texts are those of other limits.
    ...(final !== undefined && final !== 0 && (final < 1 || final >= segmentLength)
      ? [{ path: `${at}/minFinalSegmentLength`, text: `Should be 0, or from 1 to less than ${segmentLength}` }]
      : []),
    ...(fragmentLength > segmentLength
      ? [{ path: `${at}/fragmentLength`, text: `Should be less than or equal to ${segmentLength}` }]
      : []),
  ];
}

/**
 * What is accepted, and yet advised against for the sake of players: a fragment that is not a whole number of groups of pictures, within half a
 * picture. https://docs.aws.amazon.com/mediaconvert/latest/ug/setting-the-fragment-length.html. Of a rate that follows the source it is not known.
 */
export function fragmentRisks({ settings }: CreateJob): Fault[] {
  return settings.outputGroups.flatMap(({ outputGroupSettings, outputs }, i) => {
    const { fragmentLength } = outputGroupSettings.cmafGroupSettings ?? {};
    if (fragmentLength === undefined) return [];
    return outputs.flatMap(({ videoDescription }, j) => {
      const { gopSizeUnits, gopSize, gopClosedCadence, framerateNumerator, framerateDenominator } =
        videoDescription?.codecSettings.h264Settings ?? {};
      if (!gopSize || !gopClosedCadence || !framerateNumerator || !framerateDenominator) return [];
      const rate = framerateNumerator / framerateDenominator;
      const group = gopClosedCadence * (gopSizeUnits === 'SECONDS' ? gopSize : gopSize / rate);
      const groups = Math.max(1, Math.round(fragmentLength / group));
      if (Math.abs(groups * group - fragmentLength) * rate <= 0.5) return [];
      const text = `fragments of ${fragmentLength} s with groups of ${group.toFixed(3)} s`;
      return [{ path: `/outputGroups/${i}/outputs/${j}`, text }];
    });
  });
}

function cmafOutputFaults(output: Output, path: string): Fault[] {
  const { videoDescription: video, audioDescriptions, captionDescriptions } = output;
  const kinds = (video ? 1 : 0) + audioDescriptions.length + captionDescriptions.length;
  const cadence = video?.codecSettings.h264Settings?.gopClosedCadence;
  return [
    ...(output.nameModifier === undefined ? [{ path, text: 'nameModifier is a required property' }] : []),
    // https://docs.aws.amazon.com/mediaconvert/latest/ug/create-outputs.html; the text is a guess.
    ...(kinds === 1 ? [] : [{ path, text: 'Should have exactly one of a picture, a sound and captions' }]),
    // The model: never 0 in segmented outputs.
    ...(cadence === 0
      ? [
          {
            path: `${path}/videoDescription/codecSettings/h264Settings/gopClosedCadence`,
            text: 'Should be greater than or equal to 1',
          },
        ]
      : []),
  ];
}

/** The model's documentation of AudioTrackType, AudioGroupId and AudioRenditionSets; the texts are guesses. */
function soundFaults({ outputs }: OutputGroup, path: string): Fault[] {
  const sounds = outputs
    .map((output, i) => ({ ...output.containerSettings.cmfcSettings, path: `${path}/outputs/${i}`, output }))
    .filter(({ output }) => output.audioDescriptions.length > 0);
  const groups = new Set(sounds.map(({ audioGroupId }) => audioGroupId ?? 'program_audio'));
  const named = outputs.flatMap(({ containerSettings, videoDescription }, i) =>
    ((videoDescription && containerSettings.cmfcSettings?.audioRenditionSets?.split(',')) || [])
      .map((set) => set.trim())
      .filter((set) => !groups.has(set))
      .map((set) => ({
        path: `${path}/outputs/${i}/containerSettings/cmfcSettings/audioRenditionSets`,
        text: `No output has the audio group ${set}`,
      })),
  );
  const defaults = sounds.filter(({ audioTrackType }) => audioTrackType === 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT');
  return [
    ...named,
    ...(sounds.length > 1
      ? sounds
          .filter(({ audioTrackType }) => audioTrackType === undefined)
          .map((sound) => ({
            path: `${sound.path}/containerSettings/cmfcSettings`,
            text: 'audioTrackType is a required property',
          }))
      : []),
    ...defaults.slice(1).map((sound) => ({
      path: `${sound.path}/containerSettings/cmfcSettings/audioTrackType`,
      text: 'Only one output may be ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
    })),
  ];
}

/** The model's documentation of SegmentLengthControl; the texts are guesses. */
function matchFaults({ outputs }: OutputGroup, at: string): Fault[] {
  const path = `${at}/segmentLengthControl`;
  const video = outputs.flatMap(({ videoDescription }) => videoDescription ?? []);
  const audio = outputs.flatMap(({ audioDescriptions }) => audioDescriptions);
  const follows = video.some(({ codecSettings }) => codecSettings.h264Settings?.framerateControl !== 'SPECIFIED');
  const other = audio.some(({ codecSettings }) => codecSettings.aacSettings?.sampleRate !== 48_000);
  return [
    ...(video.length > 0 && audio.length > 0 ? [] : [{ path, text: 'MATCH needs a picture and a sound' }]),
    ...(follows ? [{ path, text: 'MATCH needs a specified frame rate' }] : []),
    ...(other ? [{ path, text: 'MATCH needs sound of 48000 Hz' }] : []),
  ];
}

/** Outputs that would be one object. Outside of CMAF a modifier is needed only for that. */
function duplicates({ outputGroups, inputs }: Settings): Fault[] {
  const seen = new Set<string>();
  return outputGroups.flatMap((group, i) =>
    group.outputs.flatMap((output, j) => {
      const { media } = writtenBy(output, baseOf(group, inputs[0]?.fileInput ?? ''));
      const isNew = !seen.has(media);
      seen.add(media);
      return isNew ? [] : [{ path: `/outputGroups/${i}/outputs/${j}`, text: 'nameModifier is a required property' }];
    }),
  );
}
