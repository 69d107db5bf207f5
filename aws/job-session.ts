import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import type { Job } from '../core/contracts/job.ts';
import { sessionPolicy } from '../core/jobs/session-policy.ts';

/** The longest session of a role that another role assumes; clients renew it some minutes before its end. */
const SECONDS = 3600;

/** Credentials for one job, for the clients of AWS's SDK: those of the role, limited to what this job needs. */
export function jobSession(sts: STSClient, roleArn: string, job: Pick<Job, 'jobId' | 'source' | 'output'>) {
  const [, partition = 'aws'] = roleArn.split(':');
  return async () => {
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: job.jobId,
        Policy: sessionPolicy(job, partition),
        DurationSeconds: SECONDS,
      }),
    );
    if (!given?.AccessKeyId || !given.SecretAccessKey) throw new Error('STS answered AssumeRole without credentials.');
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      ...(given.SessionToken && { sessionToken: given.SessionToken }),
      ...(given.Expiration && { expiration: given.Expiration }),
    };
  };
}
