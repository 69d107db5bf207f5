import { GetObjectTaggingCommand, PutObjectTaggingCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectId } from './object-id.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const MOST_TAGS = 10;

/**
 * Gives an object, or that very version of it, a tag, or takes it away. Its other tags stay, except those that somebody else writes at the same
 * moment: S3 replaces all tags of an object at once, and takes no condition.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 * @param value null: without the tag
 * @returns `full`: it has as many tags as S3 takes already, and was left alone
 */
export async function setTag(
  client: S3Client,
  { bucket: Bucket, key: Key, versionId: VersionId }: ObjectId,
  name: string,
  value: string | null,
): Promise<'set' | 'as it was' | 'full'> {
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }));
  const others = TagSet.filter((tag) => tag.Key !== name);
  const before = TagSet.find((tag) => tag.Key === name)?.Value ?? null;
  if (before === value) return 'as it was';
  if (value !== null && others.length >= MOST_TAGS) return 'full';
  const tags = value === null ? others : [...others, { Key: name, Value: value }];
  await client.send(new PutObjectTaggingCommand({ Bucket, Key, VersionId, Tagging: { TagSet: tags } }));
  return 'set';
}
