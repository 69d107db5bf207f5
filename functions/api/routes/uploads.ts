import { abortMultipart, completeMultipart, createMultipart, listParts } from '../../../aws/multipart.ts';
import { ONLY_ONCE, presignPut, URL_LIFETIME } from '../../../aws/presign.ts';
import { head } from '../../../aws/s3.ts';
import { apply, getRow } from '../../../aws/table.ts';
import { type Caller, creatorFor } from '../../../core/api/caller.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { randomId } from '../../../core/api/random-id.ts';
import { isAllowedType, missingParts, planParts, safeFileName } from '../../../core/api/upload-plan.ts';
import { mediaView } from '../../../core/api/views.ts';
import { MAX_PARTS_PER_REQUEST, type Upload } from '../../../core/contracts/http/uploads.ts';
import { mediaIdFor } from '../../../core/contracts/ids.ts';
import { DEFAULT_COLLECTION, dropKey } from '../../../core/contracts/keys.ts';
import { apiKeys, rowKeys } from '../../../core/contracts/table/keys.ts';
import { type MediaRow, UploadRow } from '../../../core/contracts/table/media.ts';
import { titleFrom } from '../../../core/contracts/text.ts';
import { announceUpload } from '../../../core/jobs/transitions.ts';
import { plus } from '../../../core/time.ts';
import { type ApiServices, type Routes, viewSettings } from '../call.ts';
import { collectionIsThere, loadMedia, requireCollection } from '../load.ts';
import { urlsFor } from '../part-urls.ts';
import { takeQuota } from '../quota.ts';
import { requireEngine } from '../require-engine.ts';

/** The API may not list the uploads. */
const BLIND = { forbiddenIsMissing: true } as const;

type Ids = 'createUpload' | 'getUpload' | 'createUploadParts' | 'completeUpload' | 'abortUpload';

export const uploadRoutes: Routes<Ids> = {
  async createUpload({ caller, body, now }, services) {
    const { env, table, s3 } = services;
    if (body.size > env.MAX_API_UPLOAD_BYTES) {
      throw new ApiError(
        'too_large',
        `The file has ${body.size} bytes; at most ${env.MAX_API_UPLOAD_BYTES} are taken.`,
      );
    }
    if (!isAllowedType(body.contentType, env.ALLOWED_CONTENT_TYPES)) {
      throw new ApiError(
        'type_not_allowed',
        `${body.contentType} is not allowed; allowed are ${env.ALLOWED_CONTENT_TYPES}.`,
      );
    }
    requireEngine(services, body.engine);
    const creatorId = creatorFor(caller, body.creatorId);
    const quota = await takeQuota(services, creatorId, { uploads: 1, seconds: 0 }, now);
    const { collectionId, contentType, fingerprint, size } = body;
    const fileName = safeFileName(body.fileName);
    // Any other name may be a typing error, and the collection made for it would be public.
    const isMadeByDrops = collectionId === DEFAULT_COLLECTION;
    if (!isMadeByDrops) await requireCollection(services, creatorId, collectionId);
    // Each upload has its own folder: two files of one name are two media items.
    const key = dropKey({ creatorId, collectionId, path: `${randomId(12)}/${fileName}` });
    const mediaId = await mediaIdFor(env.UPLOADS_BUCKET, key);
    const plan = planParts(size);
    const target = { bucket: env.UPLOADS_BUCKET, key };
    const multipart = plan && { uploadId: await createMultipart(s3, target, contentType), ...plan };
    const { row, media } = announceUpload(
      {
        mediaId,
        key,
        fileName,
        size,
        contentType,
        ...(fingerprint && { fingerprint }),
        ...(multipart && { multipart }),
      },
      {
        location: { creatorId, collectionId },
        bucket: env.UPLOADS_BUCKET,
        title: body.title ?? titleFrom(fileName),
        engine: body.engine,
        now,
      },
    );
    // A crash before this leaves a multipart upload that the bucket's lifecycle rule aborts.
    const made = await apply(table, [
      { op: 'put', key: rowKeys.media(mediaId), row: media },
      { op: 'put', key: apiKeys.upload(mediaId), row },
      ...(isMadeByDrops ? [] : [collectionIsThere(creatorId, collectionId)]),
      quota,
    ]);
    if (made === 'lost' && !isMadeByDrops) await requireCollection(services, creatorId, collectionId);
    if (made === 'lost') throw new ApiError('conflict', 'Announce it again.');
    const upload = await uploadView(services, { row, media, received: [] }, now);
    return { body: upload, headers: { Location: `/uploads/${mediaId}` } };
  },

  async getUpload({ caller, params, now }, services) {
    const { row, media } = await loadUpload(services, caller, params.id);
    const received = row.multipart && media.state === 'uploading' ? await receivedParts(services, row) : [];
    const numbers = received?.map((part) => part.partNumber) ?? null;
    return { body: await uploadView(services, { row, media, received: numbers }, now) };
  },

  async createUploadParts({ caller, params, body, now }, services) {
    const { row, media } = await loadUpload(services, caller, params.id);
    requireOpen(media);
    if (!row.multipart) throw new ApiError('invalid_request', 'This upload is one PUT; GET /uploads/{id} has its URL.');
    const { partCount } = row.multipart;
    const beyond = body.partNumbers.find((n) => n > partCount);
    if (beyond)
      throw new ApiError('invalid_request', `This upload has ${partCount} parts; there is no part ${beyond}.`);
    return { body: { parts: await urlsFor(services, row, body.partNumbers), urlsExpireAt: expiry(now) } };
  },

  async completeUpload({ caller, params, now }, services) {
    const { row, media } = await loadUpload(services, caller, params.id);
    if (media.state === 'uploading') await requireAllBytes(services, row);
    else if (media.error?.code === 'upload_expired') throw closed('It was not finished in time.');
    // S3's event continues the ingest, and may have done so by now.
    const current = await loadMedia(services, caller, params.id);
    return { body: mediaView(current, viewSettings({ now }, services)), headers: { Location: `/media/${params.id}` } };
  },

  async abortUpload({ caller, params }, services) {
    const { row, media } = await loadUpload(services, caller, params.id);
    requireOpen(media);
    const { env, table, s3 } = services;
    const target = { bucket: env.UPLOADS_BUCKET, key: row.key };
    if (row.multipart) await abortMultipart(s3, target, row.multipart.uploadId);
    if ((await head(s3, target, BLIND)) !== null)
      throw closed('All its bytes have arrived; delete the media item instead.');
    // The upload's row stays: a URL cannot be revoked, and the row tells ingest-upload what an object uploaded with it is.
    const gone = { op: 'remove' as const, key: rowKeys.media(params.id), expect: { state: 'uploading' } };
    const aborted = await apply(table, [gone]);
    if (aborted === 'lost') throw closed('It was finished meanwhile.');
    return { body: null };
  },
};

/** Ends an upload that is no longer wanted: no further part is accepted, and S3 keeps none. */
export async function endMultipart({ env, table, s3 }: ApiServices, mediaId: string): Promise<void> {
  const row = await getRow(table, apiKeys.upload(mediaId), UploadRow);
  if (row?.multipart) {
    await abortMultipart(s3, { bucket: env.UPLOADS_BUCKET, key: row.key }, row.multipart.uploadId);
  }
}

async function loadUpload(
  services: ApiServices,
  caller: Caller,
  id: string,
): Promise<{ row: UploadRow; media: MediaRow }> {
  const media = await loadMedia(services, caller, id).catch((error: unknown) => {
    throw error instanceof ApiError ? notFound('upload') : error;
  });
  const row = await getRow(services.table, apiKeys.upload(id), UploadRow);
  if (!row) throw notFound('upload');
  return { row, media };
}

const closed = (why: string) => new ApiError('upload_closed', why);
const expiry = (now: string) => plus(now, { seconds: URL_LIFETIME });

function requireOpen(media: MediaRow): void {
  if (media.state !== 'uploading') throw closed(`The media item is ${media.state}.`);
}

function receivedParts({ env, s3 }: ApiServices, row: UploadRow) {
  return listParts(s3, { bucket: env.UPLOADS_BUCKET, key: row.key }, row.multipart?.uploadId ?? '');
}

/** Finishes the upload in S3 when every byte is there. Safe to repeat: a finished one is recognised by its object. */
async function requireAllBytes(services: ApiServices, row: UploadRow): Promise<void> {
  const { env, s3 } = services;
  const target = { bucket: env.UPLOADS_BUCKET, key: row.key };
  if (row.multipart) {
    const parts = await receivedParts(services, row);
    if (parts) {
      const numbers = parts.map((part) => part.partNumber);
      const missing = missingParts(row.multipart.partCount, numbers, 10);
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      if (missing.length > 0) throw new ApiError('upload_incomplete', `Parts are missing: ${missing.join(', ')}.`);
      if (size !== row.size) throw incomplete(size, row.size);
      if ((await completeMultipart(s3, target, row.multipart.uploadId, parts)) === 'completed') return;
    }
  }
  const size = (await head(s3, target, BLIND))?.size ?? null;
  if (size !== row.size) throw incomplete(size ?? 0, row.size);
}

function incomplete(there: number, announced: number): ApiError {
  return new ApiError('upload_incomplete', `${there} bytes have arrived, ${announced} were announced.`);
}

/** `received` is null when S3 no longer knows the upload: its bytes are complete, though the event has not arrived yet. */
async function uploadView(
  services: ApiServices,
  { row, media, received }: { row: UploadRow; media: MediaRow; received: number[] | null },
  now: string,
): Promise<Upload> {
  const { size, contentType, fingerprint, fileName, key, multipart } = row;
  const open = media.state === 'uploading' && received !== null;
  const view: Upload = {
    id: row.mediaId,
    creatorId: media.creatorId,
    collectionId: media.collectionId,
    fileName,
    size,
    contentType,
    ...(fingerprint && { fingerprint }),
    createdAt: row.announcedAt,
    expiresAt: row.deadline,
    status: open ? 'open' : 'complete',
  };
  if (!open) return view;
  if (!multipart) {
    const url = await presignPut(services.s3, { bucket: services.env.UPLOADS_BUCKET, key, size, contentType });
    return { ...view, put: { url, headers: { 'Content-Type': contentType, ...ONLY_ONCE }, urlExpiresAt: expiry(now) } };
  }
  const { partSize, partCount } = multipart;
  const parts = await urlsFor(services, row, missingParts(partCount, received, MAX_PARTS_PER_REQUEST));
  return { ...view, multipart: { partSize, partCount, parts, urlsExpireAt: expiry(now), received } };
}
