import type { Readable } from 'node:stream';
import type { Principal, ServiceRequest } from '../kernel/service.ts';

/** One call of an AWS API, over HTTP or inside the process. */
export interface GatewayCall {
  service: string;
  operation: string;
  principal: Principal;
  /** The SDK's id of a call, the same for each of its attempts. */
  invocation?: string | undefined;
  /** As received; undefined for a call inside the process. */
  request?: Pick<ServiceRequest, 'path' | 'headers'> | undefined;
  /** 1 for the first call of this operation since the start. */
  n: number;
}

/** Extension points for faults: the first two may wait, and may throw an AwsError that the caller gets. */
export interface Hooks {
  /** Runs before the call takes effect. */
  before?(call: GatewayCall): Promise<void> | void;
  /** Runs after the call took effect, before the caller gets the answer: throwing here simulates a lost answer. */
  after?(call: GatewayCall): Promise<void> | void;
  /** Receives an object's bytes on their way to (`pushed`) or from (`pulled`) S3. Returns a replacement, or the same stream. */
  body?(principal: Principal, direction: 'pulled' | 'pushed', body: Readable): Readable;
}
