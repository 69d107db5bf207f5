import type { Readable } from 'node:stream';
import type { Authorize, Caller } from '../aws-json.ts';
import type { Policies } from '../iam/policies.ts';
import type { Meter } from '../meter.ts';
import { type AccessCheck, AwsError, type Principal, type ServiceRequest } from '../service.ts';

/** One call of an AWS API, however it came. */
export interface Call {
  service: string;
  operation: string;
  principal: Principal;
  /** The SDK's id of a call, the same for each of its tries. */
  invocation?: string | undefined;
  /** As it came; undefined for a call within the process. */
  request?: Pick<ServiceRequest, 'path' | 'headers'> | undefined;
  /** 1 for the first call of this operation since the start. */
  n: number;
}

/** Where faults come in: the first two may wait, and may throw an AwsError that the caller gets. */
export interface Hooks {
  /** Before anything is done. */
  before?(call: Call): Promise<void> | void;
  /** When it is done, before the caller is told: throwing here is an answer that gets lost. */
  after?(call: Call): Promise<void> | void;
  /** An object's bytes on their way to (`pushed`) or from (`pulled`) S3. Returns what takes their place, or the same. */
  body?(principal: Principal, direction: 'pulled' | 'pushed', body: Readable): Readable;
}

/** What every call goes through, over HTTP or inside the process: counting, permissions, faults. */
export interface Calls {
  /** Fits `InternalCall`. `keys`: condition keys of the connection. */
  run<T>(
    call: Omit<Call, 'n'>,
    work: (caller: Caller) => Promise<T>,
    keys?: Readonly<Record<string, string>>,
  ): Promise<T>;
  /** Throws AccessDenied when the principal may not. */
  authorize: Authorize;
  body: Required<Hooks>['body'];
}

export function createCalls(options: {
  policies: Policies;
  meter: Meter;
  hooks?: Hooks;
  log?: (line: string) => void;
}): Calls {
  const { policies, meter, hooks, log } = options;
  const counts = new Map<string, number>();

  const authorize = (principal: Principal, check: AccessCheck) => {
    const decision = policies.decide(principal, check);
    if (decision.allowed) return;
    // The answer to a HEAD has no room for it, and a function may keep it to itself.
    if (principal.type === 'role') log?.(`iam: ${decision.reason}`);
    throw accessDenied(principal, check.action, decision.reason);
  };

  return {
    authorize,
    body: (principal, direction, body) => hooks?.body?.(principal, direction, body) ?? body,
    async run({ service, operation, principal, invocation, request }, work, keys = {}) {
      const name = `${service}:${operation}`;
      const n = (counts.get(name) ?? 0) + 1;
      counts.set(name, n);
      meter.add(`request:${name}`);
      const call: Call = { service, operation, principal, invocation, request, n };
      await hooks?.before?.(call);
      const result = await work({
        principal,
        authorize: (check) => authorize(principal, { ...check, context: { ...keys, ...check.context } }),
      });
      await hooks?.after?.(call);
      return result;
    },
  };
}

/** DynamoDB, EventBridge and their like have a name and a status of their own for it. */
function accessDenied(principal: Principal, action: string, reason: string): AwsError {
  const service = action.split(':')[0] ?? '';
  if (service === 's3')
    return new AwsError('AccessDenied', 403, principal.type === 'anonymous' ? 'Access Denied' : reason);
  if (service === 'sqs') return new AwsError('AccessDenied', 403, reason);
  return new AwsError('AccessDeniedException', service === 'dynamodb' || service === 'events' ? 400 : 403, reason);
}
