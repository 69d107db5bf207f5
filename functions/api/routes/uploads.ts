import { abortMultipart, completeMultipart, createMultipart, listParts, objectSize } from '../../../aws/multipart.ts';
import { presignPut, URL_LIFETIME } from '../../../aws/presign.ts';
import { apply, getRow } from '../../../aws/table.ts';
import { type Caller, creatorFor } from '../../../core/api/caller.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { randomId } from '../../../core/api/random-id.ts';
import { isAllowedType, missingParts, planParts, safeFileName, titleFrom } from '../../../core/api/upload-plan.ts';
import { mediaView } from '../../../core/api/views.ts';
import { apiKeys, MAX_PARTS_PER_REQUEST, type Upload, UploadRow } from '../../../core/contracts/api.ts';
import { mediaIdFor } from '../../../core/contracts/ids.ts';
import { dropKey } from '../../../core/contracts/keys.ts';
import { CHORE, type MediaRow, rowKeys } from '../../../core/contracts/rows.ts';
import { type Routes, type Services, viewSettings } from '../call.ts';
import { loadMedia } from '../load.ts';
import { urlsFor } from '../part-urls.ts';

const HOUR_MS = 3_600_000;
/** How long an announced upload may take. */
const UPLOAD_HOURS = 24;
/** The row outlives the upload, so that a late question gets an answer. */
const ROW_DAYS = 7;

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
      throw new ApiError('type_not_allowed', `${body.contentType} is not taken; ${env.ALLOWED_CONTENT_TYPES} are.`);
    }
    const creatorId = creatorFor(caller, body.creatorId);
    const { collectionId, contentType, size } = body;
    const fileName = safeFileName(body.fileName);
    // A folder of its own for each upload: two files of one name are two media.
    const key = dropKey({ creatorId, collectionId, path: `${randomId(12)}/${fileName}` });
    const mediaId = await mediaIdFor(env.UPLOADS_BUCKET, key);
    const plan = planParts(size);
    const target = { bucket: env.UPLOADS_BUCKET, key };
    const deadline = new Date(Date.parse(now) + UPLOAD_HOURS * HOUR_MS).toISOString();
    const row: UploadRow = {
      type: 'upload',
      mediaId,
      key,
      fileName,
      size,
      contentType,
      ...(plan && { multipart: { uploadId: await createMultipart(s3, target, contentType), ...plan } }),
      announcedAt: now,
      deadline,
      expiresAt: Math.floor(Date.parse(now) / 1000) + ROW_DAYS * 86_400,
    };
    const media: MediaRow = {
      type: 'media',
      mediaId,
      creatorId,
      collectionId,
      owner: creatorId,
      collection: `${creatorId}#${collectionId}`,
      title: body.title ?? titleFrom(fileName),
      state: 'uploading',
      seq: 1,
      source: { bucket: env.UPLOADS_BUCKET, key, sequencer: '0', size, etag: '' },
      jobCount: 0,
      attempts: 0,
      scheduleRetranscode: false,
      createdAt: now,
      updatedAt: now,
      todo: CHORE.upload,
      todoAt: deadline,
    };
    // A crash before this leaves a multipart upload that the bucket's lifecycle rule aborts.
    const made = await apply(table, [
      { op: 'put', key: rowKeys.media(mediaId), row: media },
      { op: 'put', key: apiKeys.upload(mediaId), row },
    ]);
    if (made === 'lost') throw new ApiError('conflict', 'Announce it again.');
    const upload = await uploadView(services, row, media, now, []);
    return { body: upload, headers: { Location: `/uploads/${mediaId}` } };
  },

  async getUpload({ caller, params, now }, services) {
    const { row, media } = await loadUpload(services, caller, params.id);
    const received = row.multipart && media.state === 'uploading' ? await receivedParts(services, row) : [];
    return { body: await uploadView(services, row, media, now, received?.map((part) => part.partNumber) ?? null) };
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
    // S3's event brings the media on; it may have done so by now.
    const current = await loadMedia(services, caller, params.id);
    return { body: mediaView(current, viewSettings({ now }, services)), headers: { Location: `/media/${params.id}` } };
  },

  async abortUpload({ caller, params }, services) {
    const { row, media } = await loadUpload(services, caller, params.id);
    requireOpen(media);
    const { env, table, s3 } = services;
    const target = { bucket: env.UPLOADS_BUCKET, key: row.key };
    if (row.multipart) await abortMultipart(s3, target, row.multipart.uploadId);
    if ((await objectSize(s3, target)) !== null) throw closed('All its bytes are there; delete the media instead.');
    const aborted = await apply(table, [
      { op: 'remove', key: rowKeys.media(params.id), expect: { state: 'uploading' } },
      { op: 'remove', key: apiKeys.upload(params.id), expect: {} },
    ]);
    if (aborted === 'lost') throw closed('It was finished meanwhile.');
    return { body: null };
  },
};

async function loadUpload(
  services: Services,
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
const expiry = (now: string) => new Date(Date.parse(now) + URL_LIFETIME * 1000).toISOString();

function requireOpen(media: MediaRow): void {
  if (media.state !== 'uploading') throw closed(`The media is ${media.state}.`);
}

function receivedParts({ env, s3 }: Services, row: UploadRow) {
  return listParts(s3, { bucket: env.UPLOADS_BUCKET, key: row.key }, row.multipart?.uploadId ?? '');
}

/** Finishes the upload in S3 when every byte is there. Safe to repeat: a finished one is recognised by its object. */
async function requireAllBytes(services: Services, row: UploadRow): Promise<void> {
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
      if (await completeMultipart(s3, target, row.multipart.uploadId, parts)) return;
    }
  }
  const size = await objectSize(s3, target);
  if (size !== row.size) throw incomplete(size ?? 0, row.size);
}

function incomplete(there: number, announced: number): ApiError {
  return new ApiError('upload_incomplete', `${there} bytes are there, ${announced} were announced.`);
}

/** `received` is null when S3 knows no such upload any more: its bytes are complete, though the event is not here yet. */
async function uploadView(
  services: Services,
  row: UploadRow,
  media: MediaRow,
  now: string,
  received: number[] | null,
): Promise<Upload> {
  const { size, contentType, fileName, key, multipart } = row;
  const open = media.state === 'uploading' && received !== null;
  const view: Upload = {
    id: row.mediaId,
    creatorId: media.creatorId,
    collectionId: media.collectionId,
    fileName,
    size,
    contentType,
    createdAt: row.announcedAt,
    expiresAt: row.deadline,
    status: open ? 'open' : 'complete',
  };
  if (!open) return view;
  if (!multipart) {
    const url = await presignPut(services.s3, { bucket: services.env.UPLOADS_BUCKET, key, size, contentType });
    return { ...view, put: { url, headers: { 'Content-Type': contentType }, urlExpiresAt: expiry(now) } };
  }
  const { partSize, partCount } = multipart;
  const parts = await urlsFor(services, row, missingParts(partCount, received, MAX_PARTS_PER_REQUEST));
  return { ...view, multipart: { partSize, partCount, parts, urlsExpireAt: expiry(now), received } };
}
