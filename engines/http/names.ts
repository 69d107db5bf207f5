import { z } from 'zod';

/** What the construct of this engine, lib/engines/http, and its code agree on. */

const Name = z.string().min(1);

/** Variables of every function that is connected with the engine. */
export const HttpEnv = z.object({
  /** Of the endpoint: `https://api.runpod.ai/v2/abc123`. */
  HTTP_ENGINE_URL: z.url().transform((url) => url.replace(/\/+$/, '')),
  /** The secret in Secrets Manager whose text is the endpoint's API key. */
  HTTP_ENGINE_SECRET: Name,
  /** The role whose sessions sign a worker's requests to S3. */
  HTTP_ENGINE_ROLE_ARN: Name,
  /** Of this deployment's API, which the endpoint and its workers call. */
  HTTP_ENGINE_API_URL: z.url().transform((url) => url.replace(/\/+$/, '')),
});
export type HttpEnv = z.infer<typeof HttpEnv>;
