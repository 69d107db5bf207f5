import type { Policies } from '../iam/policies.ts';
import type { Authorize, Caller } from '../kernel/aws-json.ts';
import type { Meter } from '../kernel/meter.ts';
import { type AccessCheck, AwsError, type Principal } from '../kernel/service.ts';
import { pluginOf } from '../plugins.ts';
import type { GatewayCall, Hooks } from './hooks.ts';

/** Processing common to every call, over HTTP or inside the process: counting, permissions, faults. */
export interface Calls {
  /** Fits `InternalCall`. `keys`: condition keys of the connection. */
  run<T>(
    call: Omit<GatewayCall, 'n'>,
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
    // The answer to a HEAD cannot carry the reason, and a function may not log it.
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
      const call: GatewayCall = { service, operation, principal, invocation, request, n };
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

/** Each service has its own name and status for this error. */
function accessDenied(principal: Principal, action: string, reason: string): AwsError {
  const denied = pluginOf(action.split(':')[0] ?? '')?.denied;
  return denied?.(principal, reason) ?? new AwsError('AccessDeniedException', 403, reason);
}
