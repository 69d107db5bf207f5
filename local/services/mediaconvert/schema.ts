import { z } from 'zod';

/**
 * The members of CreateJob that are served, in the form in which they are sent, with the enumerations, ranges and patterns of AWS's model
 * (botocore 1.44.8, mediaconvert/2017-08-29) and the members that the service requires, which the model mostly does not name. Only the
 * values that this service can make are listed.
 */

const Enum = <const Values extends readonly [string, ...string[]]>(...values: Values) => z.enum(values);
const Switch = Enum('ENABLED', 'DISABLED');
const Whole = (least: number, most = 2_147_483_647) => z.number().int().min(least).max(most);
/** Of a picture: 4:2:0 has no odd sizes. */
const Even = (least: number, most: number) => Whole(least, most).multipleOf(2);
const S3Uri = z.string().regex(/^s3:\/\/.*$/);
const Language = z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9-]+)?$/);

const Hdr10 = z.strictObject({
  ...Object.fromEntries(
    ['redPrimary', 'greenPrimary', 'bluePrimary', 'whitePoint'].flatMap((name) =>
      ['X', 'Y'].map((axis) => [`${name}${axis}`, Whole(0, 50_000).optional()]),
    ),
  ),
  maxContentLightLevel: Whole(0, 65_535).optional(),
  maxFrameAverageLightLevel: Whole(0, 65_535).optional(),
  maxLuminance: Whole(0).optional(),
  minLuminance: Whole(0).optional(),
});

const VideoSelector = z.strictObject({
  rotate: Enum('DEGREE_0', 'DEGREES_90', 'DEGREES_180', 'DEGREES_270', 'AUTO').default('DEGREE_0'),
  colorSpace: Enum('FOLLOW', 'REC_601', 'REC_709', 'HDR10', 'HLG_2020', 'P3DCI', 'P3D65_SDR', 'P3D65_HDR').default(
    'FOLLOW',
  ),
  colorSpaceUsage: Enum('FORCE', 'FALLBACK').optional(),
  hdr10Metadata: Hdr10.optional(),
  padVideo: Enum('DISABLED', 'BLACK').default('DISABLED'),
  sampleRange: Enum('FOLLOW', 'FULL_RANGE', 'LIMITED_RANGE').default('FOLLOW'),
});

const AudioSelector = z.strictObject({
  selectorType: Enum('TRACK').default('TRACK'),
  tracks: z.array(Whole(1)).min(1),
  defaultSelection: Enum('DEFAULT', 'NOT_DEFAULT').default('NOT_DEFAULT'),
  audioDurationCorrection: Enum('DISABLED', 'AUTO', 'TRACK', 'FRAME', 'FORCE').default('DISABLED'),
});

const CaptionSelector = z.strictObject({
  sourceSettings: z.strictObject({
    sourceType: Enum('EMBEDDED'),
    embeddedSourceSettings: z
      .strictObject({
        convert608To708: Enum('UPCONVERT', 'DISABLED').optional(),
        source608ChannelNumber: Whole(1, 4).optional(),
        source608TrackNumber: Whole(1, 1).optional(),
      })
      .optional(),
  }),
});

const Input = z.strictObject({
  fileInput: z
    .string()
    .max(2048)
    .regex(/^s3:\/\/[^/]+\/.+$/),
  timecodeSource: Enum('EMBEDDED', 'ZEROBASED', 'SPECIFIEDSTART').default('EMBEDDED'),
  inputScanType: Enum('AUTO', 'PSF').default('AUTO'),
  videoSelector: VideoSelector.optional(),
  audioSelectors: z.record(z.string(), AudioSelector).default({}),
  captionSelectors: z.record(z.string(), CaptionSelector).default({}),
});

const H264 = z.strictObject({
  rateControlMode: Enum('VBR', 'CBR', 'QVBR').default('VBR'),
  qvbrSettings: z
    .strictObject({
      qvbrQualityLevel: Whole(1, 10).optional(),
      qvbrQualityLevelFineTune: z.number().optional(),
      maxAverageBitrate: Whole(1000, 1_152_000_000).optional(),
    })
    .optional(),
  bitrate: Whole(1000, 1_152_000_000).optional(),
  maxBitrate: Whole(1000, 1_152_000_000).optional(),
  hrdBufferSize: Whole(0, 1_152_000_000).optional(),
  qualityTuningLevel: Enum('SINGLE_PASS', 'SINGLE_PASS_HQ', 'MULTI_PASS_HQ').default('SINGLE_PASS_HQ'),
  sceneChangeDetect: Enum('DISABLED', 'ENABLED', 'TRANSITION_DETECTION').default('ENABLED'),
  codecProfile: Enum('BASELINE', 'MAIN', 'HIGH').default('MAIN'),
  codecLevel: z
    .enum(['AUTO', ...[...'123'].flatMap((n) => [`LEVEL_${n}`, `LEVEL_${n}_1`, `LEVEL_${n}_2`]), 'LEVEL_1_3'])
    .or(Enum('LEVEL_4', 'LEVEL_4_1', 'LEVEL_4_2', 'LEVEL_5', 'LEVEL_5_1', 'LEVEL_5_2'))
    .default('AUTO'),
  entropyEncoding: Enum('CABAC', 'CAVLC').optional(),
  interlaceMode: Enum('PROGRESSIVE').default('PROGRESSIVE'),
  framerateControl: Enum('INITIALIZE_FROM_SOURCE', 'SPECIFIED').default('INITIALIZE_FROM_SOURCE'),
  framerateNumerator: Whole(1).optional(),
  framerateDenominator: Whole(1).optional(),
  framerateConversionAlgorithm: Enum('DUPLICATE_DROP').default('DUPLICATE_DROP'),
  parControl: Enum('INITIALIZE_FROM_SOURCE', 'SPECIFIED').default('INITIALIZE_FROM_SOURCE'),
  parNumerator: Whole(1).optional(),
  parDenominator: Whole(1).optional(),
  gopSizeUnits: Enum('FRAMES', 'SECONDS').default('FRAMES'),
  gopSize: z.number().positive().default(90),
  gopClosedCadence: Whole(0).default(1),
  minIInterval: Whole(0, 30).default(0),
  numberBFramesBetweenReferenceFrames: Whole(0, 7).optional(),
  numberReferenceFrames: Whole(1, 6).optional(),
  adaptiveQuantization: Enum('AUTO', 'OFF', 'LOW', 'MEDIUM', 'HIGH', 'HIGHER', 'MAX').default('AUTO'),
  spatialAdaptiveQuantization: Switch.optional(),
  temporalAdaptiveQuantization: Switch.optional(),
  flickerAdaptiveQuantization: Switch.optional(),
  writeMp4PackagingType: Enum('AVC1', 'AVC3').default('AVC1'),
});

const FrameCapture = z.strictObject({
  framerateNumerator: Whole(1).default(1),
  framerateDenominator: Whole(1).default(1),
  maxCaptures: Whole(1, 10_000_000).optional(),
  quality: Whole(1, 100).default(80),
});

const VideoDescription = z.strictObject({
  width: Even(32, 8192).optional(),
  height: Even(32, 8192).optional(),
  scalingBehavior: Enum('DEFAULT', 'STRETCH_TO_OUTPUT', 'FIT', 'FIT_NO_UPSCALE', 'FILL').default('DEFAULT'),
  videoPreprocessors: z
    .strictObject({
      colorCorrector: z
        .strictObject({
          colorSpaceConversion: Enum('NONE', 'FORCE_709').default('NONE'),
          hdrToSdrToneMapper: Enum('PRESERVE_DETAILS', 'VIBRANT').default('PRESERVE_DETAILS'),
          sampleRangeConversion: Enum('LIMITED_RANGE_SQUEEZE', 'NONE', 'LIMITED_RANGE_CLIP').default('NONE'),
        })
        .optional(),
      deinterlacer: z
        .strictObject({
          mode: Enum('DEINTERLACE', 'INVERSE_TELECINE', 'ADAPTIVE').default('DEINTERLACE'),
          algorithm: Enum('INTERPOLATE', 'BLEND').default('INTERPOLATE'),
          control: Enum('FORCE_ALL_FRAMES', 'NORMAL').default('NORMAL'),
        })
        .optional(),
    })
    .optional(),
  codecSettings: z.strictObject({
    codec: Enum('H_264', 'FRAME_CAPTURE'),
    h264Settings: H264.optional(),
    frameCaptureSettings: FrameCapture.optional(),
  }),
  colorMetadata: Enum('IGNORE', 'INSERT').default('INSERT'),
  timecodeInsertion: Enum('DISABLED', 'PIC_TIMING_SEI').default('DISABLED'),
  respondToAfd: Enum('NONE', 'RESPOND', 'PASSTHROUGH').default('NONE'),
  afdSignaling: Enum('NONE', 'AUTO', 'FIXED').default('NONE'),
});

const AudioDescription = z.strictObject({
  audioSourceName: z.string().max(2048).default('Audio Selector 1'),
  audioTypeControl: Enum('FOLLOW_INPUT', 'USE_CONFIGURED').default('FOLLOW_INPUT'),
  languageCodeControl: Enum('FOLLOW_INPUT', 'USE_CONFIGURED').default('FOLLOW_INPUT'),
  customLanguageCode: Language.optional(),
  streamName: z
    .string()
    .regex(/^[\w\s]*$/)
    .optional(),
  audioNormalizationSettings: z
    .strictObject({
      algorithm: Enum('ITU_BS_1770_1', 'ITU_BS_1770_2', 'ITU_BS_1770_3', 'ITU_BS_1770_4').optional(),
      algorithmControl: Enum('CORRECT_AUDIO', 'MEASURE_ONLY').default('CORRECT_AUDIO'),
      correctionGateLevel: Whole(-70, 0).optional(),
      loudnessLogging: Enum('DONT_LOG').default('DONT_LOG'),
      peakCalculation: Enum('TRUE_PEAK', 'NONE').default('NONE'),
      targetLkfs: z.number().min(-59).max(0).optional(),
      truePeakLimiterThreshold: z.number().min(-8).max(0).optional(),
    })
    .optional(),
  codecSettings: z.strictObject({
    codec: Enum('AAC'),
    aacSettings: z
      .strictObject({
        bitrate: Whole(6000, 1_024_000).optional(),
        codecProfile: Enum('LC', 'HEV1', 'HEV2').default('LC'),
        codingMode: Enum('CODING_MODE_1_0', 'CODING_MODE_2_0', 'CODING_MODE_5_1'),
        rateControlMode: Enum('CBR', 'VBR').default('CBR'),
        rawFormat: Enum('LATM_LOAS', 'NONE').default('NONE'),
        sampleRate: Whole(8000, 96_000),
        specification: Enum('MPEG2', 'MPEG4').default('MPEG4'),
        vbrQuality: Enum('LOW', 'MEDIUM_LOW', 'MEDIUM_HIGH', 'HIGH').optional(),
      })
      .optional(),
  }),
});

const CaptionDescription = z.strictObject({
  captionSelectorName: z.string().min(1),
  customLanguageCode: Language.optional(),
  languageDescription: z.string().optional(),
  destinationSettings: z.strictObject({
    destinationType: Enum('WEBVTT'),
    webvttDestinationSettings: z
      .strictObject({ stylePassthrough: Enum('ENABLED', 'DISABLED', 'STRICT', 'MERGE').optional() })
      .optional(),
  }),
});

const Output = z.strictObject({
  nameModifier: z.string().min(1).max(256).optional(),
  extension: z.string().max(256).optional(),
  containerSettings: z.strictObject({
    container: Enum('CMFC', 'MP4', 'RAW'),
    cmfcSettings: z
      .strictObject({
        audioDuration: Enum('DEFAULT_CODEC_DURATION', 'MATCH_VIDEO_DURATION').optional(),
        audioGroupId: z.string().optional(),
        audioRenditionSets: z.string().optional(),
        audioTrackType: Enum(
          'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
          'ALTERNATE_AUDIO_AUTO_SELECT',
          'ALTERNATE_AUDIO_NOT_AUTO_SELECT',
          'AUDIO_ONLY_VARIANT_STREAM',
        ).optional(),
        iFrameOnlyManifest: Enum('EXCLUDE').default('EXCLUDE'),
      })
      .optional(),
    mp4Settings: z
      .strictObject({
        audioDuration: Enum('DEFAULT_CODEC_DURATION', 'MATCH_VIDEO_DURATION').optional(),
        cslgAtom: Enum('INCLUDE', 'EXCLUDE').optional(),
        cttsVersion: Whole(0, 1).optional(),
        freeSpaceBox: Enum('INCLUDE', 'EXCLUDE').optional(),
        moovPlacement: Enum('PROGRESSIVE_DOWNLOAD', 'NORMAL').default('PROGRESSIVE_DOWNLOAD'),
      })
      .optional(),
  }),
  videoDescription: VideoDescription.optional(),
  audioDescriptions: z.array(AudioDescription).default([]),
  captionDescriptions: z.array(CaptionDescription).default([]),
});

const OutputGroup = z.strictObject({
  name: z.string().max(2048).optional(),
  customName: z.string().optional(),
  outputGroupSettings: z.strictObject({
    type: Enum('CMAF_GROUP_SETTINGS', 'FILE_GROUP_SETTINGS'),
    cmafGroupSettings: z
      .strictObject({
        destination: S3Uri,
        segmentControl: Enum('SINGLE_FILE'),
        segmentLength: Whole(1).default(10),
        fragmentLength: Whole(1).default(2),
        segmentLengthControl: Enum('EXACT', 'GOP_MULTIPLE', 'MATCH').default('EXACT'),
        minFinalSegmentLength: z.number().min(0).optional(),
        writeHlsManifest: Switch.default('ENABLED'),
        writeDashManifest: Enum('DISABLED'),
        codecSpecification: Enum('RFC_6381', 'RFC_4281').default('RFC_4281'),
        manifestDurationFormat: Enum('FLOATING_POINT', 'INTEGER').default('INTEGER'),
        manifestCompression: Enum('NONE').default('NONE'),
        streamInfResolution: Enum('INCLUDE', 'EXCLUDE').default('INCLUDE'),
        targetDurationCompatibilityMode: Enum('LEGACY', 'SPEC_COMPLIANT').default('LEGACY'),
        clientCache: Switch.default('ENABLED'),
        videoCompositionOffsets: Enum('SIGNED', 'UNSIGNED').default('UNSIGNED'),
        imageBasedTrickPlay: Enum('NONE').default('NONE'),
      })
      .optional(),
    fileGroupSettings: z.strictObject({ destination: S3Uri }).optional(),
  }),
  outputs: z.array(Output).min(1),
});

const Settings = z.strictObject({
  timecodeConfig: z.strictObject({ source: Enum('EMBEDDED', 'ZEROBASED', 'SPECIFIEDSTART').optional() }).default({}),
  followSource: Whole(1, 150).optional(),
  // Several inputs are joined by the service; here one is read.
  inputs: z.array(Input).min(1).max(1),
  outputGroups: z.array(OutputGroup).min(1),
});

/** Letters, digits, space and `_ . : / = + - @`: https://docs.aws.amazon.com/mediaconvert/latest/ug/user-metadata-tags.html */
const Metadata = z
  .record(
    z
      .string()
      .max(128)
      .regex(/^(?!aws:)[\p{L}\p{N} _.:/=+@-]+$/u),
    z
      .string()
      .max(256)
      .regex(/^[\p{L}\p{N} _.:/=+@-]*$/u),
  )
  .refine((entries) => Object.keys(entries).length <= 10, 'Should have at most 10 items');

const Seconds = [10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600] as const;

export const CreateJob = z.strictObject({
  role: z.string(),
  settings: Settings,
  queue: z.string().optional(),
  priority: Whole(-50, 50).default(0),
  accelerationSettings: z
    .strictObject({ mode: Enum('DISABLED', 'ENABLED', 'PREFERRED') })
    .default({ mode: 'DISABLED' }),
  statusUpdateInterval: z.enum(Seconds.map((seconds) => `SECONDS_${seconds}` as const)).default('SECONDS_60'),
  billingTagsSource: Enum('QUEUE', 'PRESET', 'JOB_TEMPLATE', 'JOB').default('JOB'),
  /** https://docs.aws.amazon.com/mediaconvert/latest/ug/idempotency.html */
  clientRequestToken: z
    .string()
    .regex(/^[\x20-\x7E]{1,64}$/)
    .optional(),
  userMetadata: Metadata.default({}),
});

export type CreateJob = z.infer<typeof CreateJob>;
export type Settings = CreateJob['settings'];
export type Input = Settings['inputs'][number];
export type OutputGroup = Settings['outputGroups'][number];
export type Output = OutputGroup['outputs'][number];
export type VideoDescription = NonNullable<Output['videoDescription']>;
export type AudioDescription = Output['audioDescriptions'][number];
export type H264Settings = z.infer<typeof H264>;
