import type { Clock } from './clock.ts';

/** The account and region of a local cloud. */
export const ACCOUNT_ID = '123456789012';
export const REGION = 'us-east-1';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** What every local service receives at creation. */
export interface ServiceContext {
  /** The service's own directory; it exists. */
  dir: string;
  clock: Clock;
  /** Writes a line for the operator, for example `s3: recovered 2 unfinished uploads`. */
  log: (line: string) => void;
}
