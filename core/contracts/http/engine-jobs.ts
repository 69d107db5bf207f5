import { z } from 'zod';
import { JobProgress } from '../events.ts';
import { Job } from '../job.ts';

/** What a worker outside of AWS is given, and what it sends to the API with the secret of its job. */

/** The `input` of a job at an HTTP endpoint: no credentials, and no address that opens anything by itself. */
export const HttpInput = z.object({
  job: Job,
  /** Of the deployment's API. */
  apiUrl: z.url(),
  /** Of this job alone, and of no use once it has ended: `whsec_…`. */
  secret: z.string().min(1),
  /** The address of its webhook, which endpoints do not call for a job that they were told to stop. Absent in jobs of older releases. */
  hintUrl: z.url().optional(),
});
export type HttpInput = z.infer<typeof HttpInput>;

const Text = z.string().max(4096);

/** A request to S3, to be signed: only requests of this job are. */
export const SignRequest = z
  .strictObject({
    method: z.enum(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']),
    /** `/bucket/key`, encoded as in a URL. */
    path: Text.startsWith('/'),
    query: z.record(z.string().max(100), Text).default({}),
    /** Those that S3 requires to be signed, and conditions: `x-amz-…`, `if-match`, `if-none-match`. */
    headers: z.record(z.string().regex(/^(x-amz-[a-z0-9-]{1,60}|if-match|if-none-match)$/), Text).default({}),
  })
  .meta({ id: 'SignRequest' });
export type SignRequest = z.input<typeof SignRequest>;

export const SignedRequest = z.object({ url: z.string(), expiresAt: z.iso.datetime() }).meta({ id: 'SignedRequest' });
export type SignedRequest = z.infer<typeof SignedRequest>;

/** A worker's progress, without the job's id, which is in the path. */
export const ProgressReport = JobProgress.shape.detail.omit({ jobId: true }).meta({ id: 'ProgressReport' });

export const HintReceipt = z.object({ accepted: z.boolean() }).meta({ id: 'HintReceipt' });
