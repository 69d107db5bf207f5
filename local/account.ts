import type { Clock } from './clock.ts';

/** The account and region that a local cloud plays. */
export const ACCOUNT_ID = '123456789012';
export const REGION = 'us-east-1';

/** The developer's own credentials, for any S3 client: they may do everything. */
export const DEVELOPER = { accessKeyId: 'dropreel', secretAccessKey: 'dropreel' } as const;

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** What every local service is made with. */
export interface Surroundings {
  /** Its own directory; it exists. */
  dir: string;
  clock: Clock;
  /** A line for the operator, as `s3: recovered 2 unfinished uploads`. */
  log: (line: string) => void;
}
