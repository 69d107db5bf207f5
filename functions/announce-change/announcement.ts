import type { DynamoDBRecord } from 'aws-lambda';
import { z } from 'zod';
import { DETAIL, type MediaStateChanged, SOURCE } from '../../core/contracts/events.ts';
import { MediaState } from '../../core/contracts/rows.ts';
import { ErrorCode } from '../../core/jobs/errors.ts';

/** The attributes of a media row that an announcement takes, as DynamoDB's stream writes them. */
const Text = z.object({ S: z.string() });
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
  error: z.object({ M: z.object({ code: z.object({ S: ErrorCode }), message: Text }) }).optional(),
});
type MediaImage = z.infer<typeof MediaImage>;

/** Null for a record of another row, and for a change of a media that is none of its state. */
export function announcementOf(record: DynamoDBRecord): z.infer<typeof MediaStateChanged> | null {
  const before = imageOf(record.dynamodb?.OldImage);
  const after = imageOf(record.dynamodb?.NewImage);
  const media = after ?? before;
  if (!media || before?.state.S === after?.state.S) return null;
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
      // A removed row has no number of its own: it comes after the last.
      seq: after ? after.seq.N : media.seq.N + 1,
      at: after ? after.updatedAt.S : removedAt(record, media.updatedAt.S),
      ...(media.jobId && { jobId: media.jobId.S }),
      ...(after?.error && { error: { code: after.error.M.code.S, message: after.error.M.message.S } }),
    },
  };
}

function imageOf(image: unknown): MediaImage | null {
  const { type } = z.object({ type: z.object({ S: z.string() }) }).safeParse(image).data ?? {};
  return type?.S === 'media' ? MediaImage.parse(image) : null;
}

/** The stream's clock counts seconds. */
function removedAt(record: DynamoDBRecord, otherwise: string): string {
  const seconds = record.dynamodb?.ApproximateCreationDateTime;
  return seconds === undefined ? otherwise : new Date(seconds * 1000).toISOString();
}
