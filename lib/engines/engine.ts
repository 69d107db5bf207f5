import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { HandlerFunction } from '../parts/handler-function.ts';

/** The functions that are connected with the engines. */
export type Connected = 'ingest-upload' | 'track-job' | 'sweep' | 'api';

/** The permissions of a function, and why a wildcard in them cannot be narrower. */
export interface Grant {
  statements: PolicyStatement[];
  acknowledged?: { id: string; reason: string }[];
}

/** An engine, as the stages see it. */
export interface EngineConstruct {
  /** The variables of `engines/NAME/names.ts`. */
  readonly environment: Readonly<Record<string, string>>;
  /** The permissions that its code needs, in each function that is connected with it. */
  readonly grants: Readonly<Record<Connected, Grant>>;
  /** Its events on the account's default bus, each with the id of its rule: track-job reads them. */
  readonly events: Readonly<Record<string, EventPattern>>;
  /** Called for each connected function once it is made. */
  connect?(handler: Connected, fn: HandlerFunction): void;
  /** The stack's outputs. */
  readonly outputs: Readonly<Record<string, string>>;
}
