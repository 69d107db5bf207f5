import type { DynamoDBRecord } from 'aws-lambda';
import { z } from 'zod';
import { ErrorCode, HELD_BY } from '../../core/contracts/errors.ts';
import { DETAIL, type MediaCountsChanged, type MediaStateChanged, SOURCE } from '../../core/contracts/events.ts';
import { MediaState, SourceReport } from '../../core/contracts/table/media.ts';
import type { Warning } from '../../core/contracts/warnings.ts';
import { plain } from './plain.ts';

/** The attributes of a media row that an announcement takes, as DynamoDB's stream writes them. */
const Text = z.object({ S: z.string() });
const WarningImage = z.object({
  M: z.object({ code: Text, message: Text, at: z.object({ N: z.coerce.number() }).optional() }),
});
const MediaImage = z.object({
  type: z.object({ S: z.literal('media') }),
  mediaId: Text,
  creatorId: Text,
  collectionId: Text,
  title: Text,
  state: z.object({ S: MediaState }),
  seq: z.object({ N: z.coerce.number().int() }),
  updatedAt: Text,
  jobId: Text.optional(),
  sourceInfo: z.unknown().optional(),
  current: z
    .object({
      M: z.object({
        version: z.object({ N: z.string() }),
        warnings: z.object({ L: z.array(WarningImage) }).optional(),
      }),
    })
    .optional(),
  error: z.object({ M: z.object({ code: z.object({ S: ErrorCode }), message: Text }) }).optional(),
  growing: z.object({ M: z.object({ jobId: Text }) }).optional(),
  archive: z
    .object({ M: z.object({ state: Text, reason: Text.optional(), bytes: z.unknown().optional() }) })
    .optional(),
});
type MediaImage = z.infer<typeof MediaImage>;

/** The attributes of a job's row. */
const JobImage = z.object({ jobId: Text, mediaId: Text, creatorId: Text });

type Announcement = z.infer<typeof MediaStateChanged> | z.infer<typeof MediaCountsChanged>;

/**
 * What is announced of a record: a change of a media item's state, that its encode waits for a cap or its source, or that its stats are to be counted
 * again because another version is the current one or a job's cost is known. Null for a record of another row, and for any other change.
 * @throws ZodError for a row that is not as its type should be: it can never be announced
 */
export function announcementOf(record: DynamoDBRecord): Announcement | null {
  const { OldImage: old, NewImage: fresh } = record.dynamodb ?? {};
  const type = typeOf(fresh) ?? typeOf(old);
  if (type === 'job') return ofJob(old, fresh);
  if (type !== 'media') return null;
  const before = typeOf(old) === 'media' ? MediaImage.parse(old) : null;
  return ofMedia(record, before, fresh ? MediaImage.parse(fresh) : null);
}

function ofMedia(record: DynamoDBRecord, before: MediaImage | null, after: MediaImage | null): Announcement | null {
  const media = after ?? before;
  if (!media) return null;
  const held = after !== null && isHeld(after) && before !== null && before.error?.M.code.S !== after.error?.M.code.S;
  const archive = before && after && archiveChange(before, after);
  const playable = before !== null && after?.growing !== undefined && before.growing === undefined;
  if (before?.state.S === after?.state.S && !held && !playable && !archive) {
    const same = before?.current?.M.version.N === after?.current?.M.version.N;
    return same ? null : countsOf({ mediaId: media.mediaId.S, creatorId: media.creatorId.S });
  }
  return {
    source: SOURCE.pipeline,
    'detail-type': DETAIL.mediaChanged,
    detail: {
      mediaId: media.mediaId.S,
      creatorId: media.creatorId.S,
      collectionId: media.collectionId.S,
      title: media.title.S,
      from: before?.state.S ?? null,
      to: after?.state.S ?? null,
      // A removed row has no number of its own, so its change follows the last one.
      seq: after ? after.seq.N : media.seq.N + 1,
      at: after ? after.updatedAt.S : removedAt(record, media.updatedAt.S),
      ...(media.jobId && { jobId: media.jobId.S }),
      ...newWarnings(before, after),
      ...reportOf(before, after),
      ...(held && before?.state.S === after?.state.S && { held }),
      ...(playable && before.state.S === after.state.S && { playable }),
      ...(archive && before?.state.S === after?.state.S && { archive }),
      ...(after?.error && { error: { code: after.error.M.code.S, message: after.error.M.message.S } }),
    },
  };
}

/** Whether its encode waits: for room under a cap, or for its source. */
function isHeld({ error }: MediaImage): boolean {
  return error !== undefined && HELD_BY.includes(error.M.code.S);
}

/** Whether a copy has become its source, or its original is in a cheaper storage class, or the original is its source again. */
function archiveChange(
  { archive: before }: MediaImage,
  { archive: after }: MediaImage,
): 'archived' | 'restored' | null {
  const [from, to] = [before?.M.state.S, after?.M.state.S];
  if (from === 'replacing' && to === 'archived') return 'archived';
  // That a copy has become the source was announced before it was moved.
  if (from === 'moving' && to === 'moved' && after?.M.bytes === undefined) return 'archived';
  return from === 'archived' && to === 'refused' && after?.M.reason?.S === 'restored' ? 'restored' : null;
}

/** Those of a version that has just been published. */
function newWarnings(before: MediaImage | null, after: MediaImage | null): { warnings?: Warning[] } {
  const { version, warnings } = after?.current?.M ?? {};
  if (!warnings || version?.N === before?.current?.M.version.N) return {};
  return {
    warnings: warnings.L.map(({ M: { code, message, at } }) => ({
      code: code.S,
      ...(at && { at: at.N }),
      message: message.S,
    })),
  };
}

/** What the worker found in the source of a version that has just been published, or of what has just failed. */
function reportOf(before: MediaImage | null, after: MediaImage | null): { source?: SourceReport } {
  const isPublished = after?.current !== undefined && after.current.M.version.N !== before?.current?.M.version.N;
  const hasFailed = after?.state.S === 'failed' && before?.state.S !== 'failed';
  if (!isPublished && !hasFailed) return {};
  const source = SourceReport.safeParse(plain(after.sourceInfo)).data;
  return source?.container === undefined ? {} : { source };
}

function ofJob(before: unknown, after: unknown): Announcement | null {
  const hasCost = (image: unknown) => z.object({ cost: z.object({}) }).safeParse(image).success;
  if (!hasCost(after) || hasCost(before)) return null;
  const { mediaId, creatorId, jobId } = JobImage.parse(after);
  return countsOf({ mediaId: mediaId.S, creatorId: creatorId.S, jobId: jobId.S });
}

function countsOf(detail: z.infer<typeof MediaCountsChanged>['detail']): Announcement {
  return { source: SOURCE.pipeline, 'detail-type': DETAIL.countsChanged, detail };
}

function typeOf(image: unknown): string | undefined {
  return z.object({ type: Text }).safeParse(image).data?.type.S;
}

/** The stream's clock counts seconds. */
function removedAt(record: DynamoDBRecord, otherwise: string): string {
  const seconds = record.dynamodb?.ApproximateCreationDateTime;
  return seconds === undefined ? otherwise : new Date(seconds * 1000).toISOString();
}
