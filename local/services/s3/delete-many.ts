import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import { readText, type S3Call } from './call.ts';
import { checkVersionId } from './find.ts';
import { requestedChecksum } from './headers.ts';
import { LIMITS } from './model.ts';
import { removeObject } from './objects.ts';
import { type XmlElement, xmlResponse } from './xml.ts';
import { readXml, textOf } from './xml-read.ts';

/** Each object succeeds or fails by itself. https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export async function deleteObjects(call: S3Call): Promise<ServiceResponse> {
  const { headers } = call.request;
  if (headers['content-md5'] === undefined && requestedChecksum(headers) === undefined) {
    throw new AwsError(
      'InvalidRequest',
      400,
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const body = readXml(await readText(call.request), 'Delete');
  const objects = body.Object ?? [];
  if (objects.length === 0 || objects.length > LIMITS.listed) {
    throw new AwsError(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  const quiet = textOf(body, 'Quiet') === 'true';
  const deleted: XmlElement[] = [];
  const failed: XmlElement[] = [];
  for (const object of objects) {
    const key = textOf(object, 'Key') ?? '';
    const versionId = textOf(object, 'VersionId') ?? null;
    const named = { Key: key, ...(versionId !== null && { VersionId: versionId }) };
    try {
      call.authorize(versionId === null ? 's3:DeleteObject' : 's3:DeleteObjectVersion', key);
      if (versionId !== null) checkVersionId(versionId);
      const removed = await removeObject(call, key, versionId);
      deleted.push({
        ...named,
        ...(removed.deleteMarker && { DeleteMarker: true, DeleteMarkerVersionId: removed.versionId ?? '' }),
      });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      failed.push({ ...named, Code: error.code, Message: error.message });
    }
  }
  return xmlResponse('DeleteResult', { Deleted: quiet ? [] : deleted, Error: failed });
}
