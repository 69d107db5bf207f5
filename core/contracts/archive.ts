import { z } from 'zod';

/** The encode of old recordings into a denser codec: its policy, why a recording keeps its original, and what is recorded of each. */

/** x265's names, slowest last. Other encoders take the preset of the same place in their own list. */
export const ARCHIVE_PRESETS = ['ultrafast', 'veryfast', 'faster', 'fast', 'medium', 'slow'] as const;

const Percent = z.number().min(0).max(100);
/** Mean of all pictures, and of the worst second. */
const Ssim = z.number().min(0).max(1);
const Floor = z.strictObject({ mean: Ssim.default(0.96), worstSecond: Ssim.default(0.94) });

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const ArchivePolicy = z.strictObject({
  /** Days since a recording was changed last. */
  minAgeDays: z.number().min(0).max(36_500).default(7),
  codec: z.enum(['hevc', 'av1']).default('hevc'),
  /** CRF on the scale of x264 and x265: lower is better. docs/archive.md has what it gives. */
  quality: z.number().int().min(10).max(40).default(23),
  preset: z.enum(ARCHIVE_PRESETS).default('veryfast'),
  /** `HH:MM-HH:MM` of each day in the time zone. The end may be the next day's; equal times mean the whole day. */
  window: z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d$/, 'takes HH:MM-HH:MM')
    .default('02:00-06:00'),
  /** IANA name. */
  timeZone: z.string().refine(isTimeZone, 'takes the name of a time zone, such as Europe/Berlin').default('UTC'),
  /** What happens to an encode when the window ends. */
  overrun: z.enum(['stop', 'finish']).default('stop'),
  keepOriginalDays: z.number().min(0).max(3650).default(1),
  /** A smaller saving is not worth a second generation of loss. */
  minSavingsPercent: Percent.default(10),
  /** Reported only. */
  targetSavingsPercent: Percent.default(40),
  /** SSIM over all planes, 0 to 1. docs/archive.md says why this metric, and what real clips give. */
  floors: Floor.prefault({}),
  maxConcurrent: z.number().int().min(1).max(16).default(1),
  /** Of the machine's processors, without the encode's own share. */
  maxCpuPercent: Percent.default(15),
  /** Of the machine's time: waiting for its disks. */
  maxIoWaitPercent: Percent.default(5),
  /** 10^9 bytes. */
  minFreeSpaceGb: z.number().min(0).default(100),
});
export type ArchivePolicy = z.infer<typeof ArchivePolicy>;

/** The part of a policy on which the encode and its verification depend. */
export const EncodePolicy = ArchivePolicy.pick({
  ...{ codec: true, quality: true, preset: true, minSavingsPercent: true, floors: true },
});
export type EncodePolicy = z.infer<typeof EncodePolicy>;

/** How originals in S3 get cheaper: a denser copy, a storage class below Standard, both, or what saves most by core/archive/money.ts. */
const ARCHIVE_METHODS = ['reencode', 'storage-class', 'both', 'auto'] as const;
/** As S3 names them: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html */
export const ARCHIVE_CLASSES = ['GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'] as const;
export type ArchiveClass = (typeof ARCHIVE_CLASSES)[number];
/** A smaller object is not moved: the request costs weeks of what it saves, and a restore more than it ever saves. */
const LEAST_MOVED_BYTES = 10_000_000;

export function isMovable(bytes: number): boolean {
  return bytes >= LEAST_MOVED_BYTES;
}

/** A version with this tag is moved to the class of its value by a lifecycle rule of the stack. */
export const ARCHIVE_CLASS_TAG = 'dropreel-archive-class';
/** How fast, and at which price, an original that cannot be read at once is made readable. */
export const RESTORE_TIERS = ['Expedited', 'Standard', 'Bulk'] as const;
export type RestoreTier = (typeof RESTORE_TIERS)[number];

/** Of a machine that does other things as well: those of a collection run on machines of their own. */
const MACHINE = { maxCpuPercent: true, maxIoWaitPercent: true, minFreeSpaceGb: true } as const;

/** The policy of a collection in S3. A field means the same as in the policy of a folder. */
export const CollectionArchivePolicy = ArchivePolicy.omit(MACHINE)
  .extend({
    method: z.enum(ARCHIVE_METHODS).default('reencode'),
    /** For the methods with a storage class. */
    storageClass: z.enum(ARCHIVE_CLASSES).default('GLACIER_IR'),
    restoreTier: z.enum(RESTORE_TIERS).default('Standard'),
  })
  .meta({ id: 'ArchivePolicy' });
export type CollectionArchivePolicy = z.infer<typeof CollectionArchivePolicy>;

/** Why a recording keeps its original. Per reason: when it occurs. docs/archive.md is checked against this list. */
export const ARCHIVE_REASONS = {
  not_readable: 'FFmpeg cannot read the file, or it has no picture.',
  container: 'The file is not MP4 or QuickTime: other containers cannot hold the times of all pictures exactly.',
  codec: 'The picture is not H.264: it is dense already, or it is made for editing.',
  several_videos: 'The file has more than one track of moving pictures.',
  encrypted: 'A track is encrypted.',
  alpha: 'The pictures have transparency, which the codec cannot hold.',
  interlaced: 'The pictures are interlaced, which HEVC and AV1 do not carry in a way that players show.',
  dynamic_hdr: 'The pictures have Dolby Vision or HDR10+ data, which no encoder here carries.',
  spherical: 'The pictures are of all directions (360°) or 3D, and what says so would be lost.',
  hdr_values: 'The mastering data of HDR10 is there and cannot be carried by this encoder, or makes no sense.',
  pixel_format: 'This encoder does not hold the pictures as they are: 4:2:2, 4:4:4, more bits, or full range.',
  data_track: 'A track of data would be lost or could not be read again, or is of a kind that is not known.',
  timecode: 'The file has several tracks of timecode, or one that changes within it.',
  source_damaged: 'The file does not decode without an error, or does not hold what its own index declares.',
  hard_link: 'The file has a second name: replacing it would part the two and free nothing.',
  encode_failed: 'The encoder ended with an error.',
  new_file_damaged: 'The new file does not decode without an error.',
  duration: 'The new file lasts longer or shorter by more than 1 s or 0.1 %.',
  frame_count: 'The new file has more or fewer pictures.',
  frame_times: 'A picture of the new file is shown at another time, by more than a tick of its clock.',
  picture: 'Size, sample aspect, rotation or frame rate of the picture differ.',
  color: 'Colour, range, bit depth or HDR data of the picture differ.',
  tracks: 'A track is missing, is another one, or lost its language or role.',
  copied_track: 'A copied track has other bytes or other times.',
  captions: 'The pictures have closed captions, and those of the new file have none.',
  metadata: 'Chapters, timecode, creation time or another tag differ.',
  codec_tag: 'The new file is not marked so that Apple devices play it (hvc1), or is of another codec.',
  quality_mean: 'The pictures are too different on average.',
  quality_worst_second: 'The pictures of one second are too different.',
  quality_picture: 'One picture is far worse than the others: it is damaged, or shown in the place of another.',
  quality_color: 'The colours or the brightness of the pictures are shifted as a whole.',
  savings: 'The new file is not smaller by as much as the policy asks.',
  source_changed: 'The original changed while it was encoded.',
  restored: 'The original was restored by a person.',
  unversioned: 'In S3: the object has no version of its own, so that nothing could name what is kept.',
  storage_class: 'In S3: somebody has put it into another storage class already, and the policy is to choose by money.',
  payback: 'In S3: no way of the policy pays back: it is too small to be moved, or an encode costs more than it saves.',
} as const;
export type ArchiveReason = keyof typeof ARCHIVE_REASONS;

const Reason = z.enum(Object.keys(ARCHIVE_REASONS) as [ArchiveReason, ...ArchiveReason[]]);
export const ArchiveRefusal = z.strictObject({ reason: Reason, detail: z.string() });
export type ArchiveRefusal = z.infer<typeof ArchiveRefusal>;

/** SSIM over all planes. */
export const Quality = z.strictObject({
  mean: z.number(),
  worstSecond: z.number(),
  /** Where that second begins, in seconds of the file. */
  worstAt: z.number(),
  /** The worst picture, and the median of all. */
  worstPicture: z.number(),
  median: z.number(),
  /** Mean PSNR in dB: it falls where all colours are shifted, which SSIM hardly sees. */
  psnr: z.number(),
});
export type Quality = z.infer<typeof Quality>;

const Copy = z.strictObject({ bytes: z.number().int(), sha256: z.string() });

const PolicyKey = z.string().meta({ description: 'the fields of the policy on which the outcome depends' });
/** Size and time of the last change to the nanosecond. */
const SourceVersion = z.string();

/**
 * What is recorded of a recording, before the first step of which it speaks is done. Times are ISO 8601.
 * - `encoding`: the new file is being written under the name `temporary`.
 * - `replacing`: it is verified, and takes the original's place. Either may be found under the recording's name.
 * - `archived`: the new file has the recording's name, the original its own until `deleteAfter`.
 * - `purged`: the original is deleted.
 * - `refused`: the original stays.
 */
export const ArchiveRecord = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('encoding'), at: z.iso.datetime(), temporary: z.string() }),
  z.strictObject({
    state: z.enum(['replacing', 'archived', 'purged']),
    at: z.iso.datetime(),
    temporary: z.string(),
    original: Copy.extend({ name: z.string() }),
    archived: Copy,
    encoder: z.string(),
    ffmpeg: z.string(),
    quality: Quality,
    /** The original may be deleted then. */
    deleteAfter: z.iso.datetime(),
    deletedAt: z.iso.datetime().optional(),
  }),
  z.strictObject({
    state: z.literal('refused'),
    at: z.iso.datetime(),
    source: SourceVersion,
    policy: PolicyKey,
    refusals: z.array(ArchiveRefusal).min(1),
  }),
]);
export type ArchiveRecord = z.infer<typeof ArchiveRecord>;
export type Replacement = Extract<ArchiveRecord, { state: 'replacing' | 'archived' | 'purged' }>;
