import { presignPart } from '../../aws/presign.ts';
import { partSizeOf } from '../../core/api/upload-plan.ts';
import type { UploadPart } from '../../core/contracts/http/uploads.ts';
import type { UploadRow } from '../../core/contracts/table/media.ts';
import type { ApiServices } from './call.ts';

/** Presigned URLs for parts of an upload, each for exactly its bytes. */
export function urlsFor(
  { env, s3 }: ApiServices,
  row: UploadRow,
  partNumbers: readonly number[],
): Promise<UploadPart[]> {
  const { multipart } = row;
  if (!multipart) return Promise.resolve([]);
  return Promise.all(
    partNumbers.map(async (partNumber) => {
      const size = partSizeOf(partNumber, row.size, multipart);
      const { uploadId } = multipart;
      const url = await presignPart(s3, { bucket: env.UPLOADS_BUCKET, key: row.key, uploadId, partNumber, size });
      return { partNumber, size, url };
    }),
  );
}
