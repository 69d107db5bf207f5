import type { Configuration } from '../configuration.ts';

/** The properties that every stage is made with. */
export interface StageProps {
  configuration: Configuration;
  /** The directory that scripts/build.ts fills. */
  dist: string;
}
