import { z } from 'zod';
import { EngineChoice } from '../engines.ts';
import { CollectionId, CreatorId, MediaId, NewCreatorId } from '../ids.ts';
import { DEFAULT_COLLECTION } from '../keys.ts';
import { Title } from './fields.ts';

/** Bodies of the HTTP API. Names that end in `Request` are what clients send, the others what they receive. Sizes are bytes. */

const Time = z.iso.datetime();
const Url = z.string();

/** An upload of more bytes than this is sent in parts. */
export const SINGLE_PUT_MAX = 64 * 1024 * 1024;

/** Part URLs given per answer: 100 of them are about 100 KB of JSON. */
export const MAX_PARTS_PER_REQUEST = 100;

/** What tells the client's files apart, such as a digest: whoever goes on with an upload compares it first. */
const Fingerprint = z.string().regex(/^[A-Za-z0-9:._-]{1,100}$/);

export const UploadRequest = z
  .strictObject({
    /** Untrusted; only its last part and extension are kept, made safe for a key. */
    fileName: z.string().min(1).max(255),
    size: z.number().int().positive(),
    contentType: z.string().regex(/^[a-z]+\/[A-Za-z0-9.+-]{1,100}$/),
    collectionId: CollectionId.default(DEFAULT_COLLECTION),
    title: Title.optional(),
    fingerprint: Fingerprint.optional(),
    /** What encodes it, whatever engine its collection names. */
    engine: EngineChoice.optional(),
    /** For operators: the creator that the request acts for. */
    creatorId: NewCreatorId.optional(),
  })
  .meta({ id: 'UploadRequest' });
export type UploadRequest = z.infer<typeof UploadRequest>;

const PartNumber = z.number().int().min(1).max(10_000);

export const PartsRequest = z
  .strictObject({ partNumbers: z.array(PartNumber).min(1).max(MAX_PARTS_PER_REQUEST) })
  .meta({ id: 'PartsRequest' });

export const UploadPart = z
  .object({ partNumber: PartNumber, size: z.number().int(), url: Url })
  .meta({ id: 'UploadPart' });
export type UploadPart = z.infer<typeof UploadPart>;

export const UploadPartList = z
  .object({ parts: z.array(UploadPart), urlsExpireAt: Time })
  .meta({ id: 'UploadPartList' });
export type UploadPartList = z.infer<typeof UploadPartList>;

export const Upload = z
  .object({
    /** Also the id of the media that it becomes. */
    id: MediaId,
    creatorId: CreatorId,
    collectionId: CollectionId,
    fileName: z.string(),
    size: z.number().int(),
    contentType: z.string(),
    /** As it was announced. */
    fingerprint: z.string().optional(),
    createdAt: Time,
    /** When an unfinished upload is given up. */
    expiresAt: Time,
    /** `open` until its bytes are complete. */
    status: z.enum(['open', 'complete']),
    /** One PUT of the whole file with exactly these headers; absent when the upload is in parts. */
    put: z.object({ url: Url, headers: z.record(z.string(), z.string()), urlExpiresAt: Time }).optional(),
    /** PUT each part to its URL; all but the last have `partSize` bytes. Absent for a single PUT. */
    multipart: z
      .object({
        partSize: z.number().int(),
        partCount: z.number().int(),
        /** The first 100 missing parts, ready to be sent; ask for more with POST /uploads/{id}/parts. */
        parts: z.array(UploadPart),
        urlsExpireAt: Time,
        /** Numbers of the parts that have been received. */
        received: z.array(PartNumber),
      })
      .optional(),
  })
  .meta({ id: 'Upload' });
export type Upload = z.infer<typeof Upload>;
