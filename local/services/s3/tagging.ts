import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import { readText, type S3Call } from './call.ts';
import { changedEvent } from './events.ts';
import { findNamed } from './find.ts';
import type { ObjectVersion } from './model.ts';
import { xmlResponse } from './xml.ts';
import { readXml, textOf } from './xml-read.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html, in UTF-16 code units */
const MOST_TAGS = 10;
const LONGEST = { key: 128, value: 256 };
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The permission on a version has its own name. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
function find(call: S3Call, verb: 'Get' | 'Put' | 'Delete'): ObjectVersion {
  const named = call.request.query.get('versionId') === null ? 'Object' : 'ObjectVersion';
  call.authorize(`s3:${verb}${named}Tagging`, call.key);
  return findNamed(call);
}

export async function getObjectTagging(call: S3Call): Promise<ServiceResponse> {
  const version = find(call, 'Get');
  const Tag = Object.entries(version.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
  return xmlResponse('Tagging', { TagSet: { Tag } }, versionHeader(call, version));
}

/** Replaces all tags of the version. */
export async function putObjectTagging(call: S3Call): Promise<ServiceResponse> {
  find(call, 'Put');
  const tags = readTags(await readText(call.request));
  return change(call, find(call, 'Put'), tags, 200);
}

export async function deleteObjectTagging(call: S3Call): Promise<ServiceResponse> {
  return change(call, find(call, 'Delete'), {}, 204);
}

async function change(
  call: S3Call,
  before: ObjectVersion,
  tags: Record<string, string>,
  status: 200 | 204,
): Promise<ServiceResponse> {
  const { bucket } = call;
  const version = { ...before, tags };
  const detailType = status === 200 ? ('Object Tags Added' as const) : ('Object Tags Deleted' as const);
  const event = changedEvent(call.store, { bucket, version, detailType, at: call.now, by: call, detail: {} });
  await call.store.commit({ type: 'change', bucket, version, event });
  return { status, headers: versionHeader(call, version) };
}

function versionHeader(call: S3Call, { versionId }: ObjectVersion): Record<string, string> {
  return call.store.bucket(call.bucket).configuration.versioned ? { 'x-amz-version-id': versionId } : {};
}

function readTags(document: string): Record<string, string> {
  const set = readXml(document, 'Tagging').TagSet?.[0];
  const tags = typeof set === 'object' ? (set.Tag ?? []) : [];
  if (tags.length > MOST_TAGS) throw new AwsError('BadRequest', 400, 'Object tags cannot be greater than 10');
  const read: Record<string, string> = {};
  for (const tag of tags) {
    const [key = '', value = ''] = [textOf(tag, 'Key'), textOf(tag, 'Value')];
    if (key === '' || key.length > LONGEST.key || !CHARACTERS.test(key) || key.startsWith('aws:')) {
      throw new AwsError('InvalidTag', 400, 'The TagKey you have provided is invalid', { TagKey: key });
    }
    if (value.length > LONGEST.value || !CHARACTERS.test(value)) {
      throw new AwsError('InvalidTag', 400, 'The TagValue you have provided is invalid', { TagValue: value });
    }
    if (Object.hasOwn(read, key)) {
      throw new AwsError('InvalidTag', 400, 'Cannot provide multiple Tags with the same key', { TagKey: key });
    }
    Object.defineProperty(read, key, { value, enumerable: true });
  }
  return read;
}
