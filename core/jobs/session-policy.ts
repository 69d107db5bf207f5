import type { Job } from '../contracts/job.ts';

/** Longest session policy in characters that STS accepts. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const MAX_SESSION_POLICY = 2048;
/** Longest pattern of a key in characters: with the rest of the policy it stays within that limit. */
const MAX_PATTERN = 600;

/**
 * The most that the session of one job may do: read its source, write under its prefix, report. The role that is assumed
 * allows nothing more, but it covers all jobs.
 * @param partition of the ARNs: `aws`
 */
export function sessionPolicy({ source, output }: Pick<Job, 'source' | 'output'>, partition: string): string {
  const arn = (bucket: string, key = '') => `arn:${partition}:s3:::${bucket}${key}`;
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      source.versionId === undefined
        ? { Effect: 'Allow', Action: 's3:GetObject', Resource: arn(source.bucket, `/${readable(source.key)}`) }
        : {
            Effect: 'Allow',
            Action: 's3:GetObjectVersion',
            Resource: arn(source.bucket, `/${keyPattern(source.key)}`),
            // Limits the pattern to this one object, whatever else it matches.
            Condition: { StringEquals: { 's3:VersionId': source.versionId } },
          },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
        Resource: arn(output.bucket, `/${keyPattern(output.prefix)}*`),
      },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: [...new Set([arn(source.bucket), arn(output.bucket)])],
        // A request for an object has no prefix; a caller with s3:ListBucket gets 404 for an object that does not exist.
        Condition: { StringLikeIfExists: { 's3:prefix': `${keyPattern(output.prefix)}*` } },
      },
      // The role restricts the bus and the kind of event.
      { Effect: 'Allow', Action: 'events:PutEvents', Resource: '*' },
    ],
  });
}

/** A playlist is read together with the segments beside it. */
function readable(key: string): string {
  if (!key.endsWith('.m3u8')) return keyPattern(key);
  return `${keyPattern(key.slice(0, key.lastIndexOf('/') + 1))}*`;
}

/**
 * A key as a policy's pattern. Wildcard characters in it are taken literally, because strangers choose the key. Characters that STS
 * accepts only escaped, at six characters each, become wildcards, and so does the end of a very long key.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function keyPattern(key: string): string {
  const pattern = key.replace(/[*?$]/g, (character) => `\${${character}}`).replace(/[^\u0020-\u007E]+|["\\]/g, '*');
  if (pattern.length <= MAX_PATTERN) return pattern;
  let cut = '';
  for (const [unit] of pattern.matchAll(/\$\{.\}|./g)) {
    if (cut.length + unit.length > MAX_PATTERN) break;
    cut += unit;
  }
  return `${cut}*`;
}
