import type { Configuration } from '../configuration.ts';

/** What every stage is made with. */
export interface Surroundings {
  configuration: Configuration;
  /** The directory that scripts/build.ts fills. */
  dist: string;
}
