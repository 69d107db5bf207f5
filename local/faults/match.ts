import type { GatewayCall } from '../gateway/hooks.ts';
import type { Principal } from '../kernel/service.ts';
import type { CallFault, EventFault } from './plan.ts';

export function matchesCall({ call: wanted }: CallFault, call: GatewayCall): boolean {
  return (
    wanted.service === call.service &&
    (wanted.operation === undefined || wanted.operation === call.operation) &&
    matchesPrincipal(wanted.principal, call.principal)
  );
}

export function matchesPrincipal(wanted: string | undefined, principal: Principal): boolean {
  return wanted === undefined || nameOf(principal).includes(wanted);
}

function nameOf(principal: Principal): string {
  if (principal.type === 'role') return principal.arn;
  return principal.type === 'service' ? principal.service : principal.type;
}

export function matchesEvent({ event: wanted }: EventFault, targetArn: string, payload: string): boolean {
  const event: unknown = JSON.parse(payload);
  if (typeof event !== 'object' || event === null) return false;
  const detail = 'detail' in event && typeof event.detail === 'object' ? { ...event.detail } : {};
  const has = (name: string, value: string | undefined) =>
    value === undefined || (event as Record<string, unknown>)[name] === value;
  return (
    has('source', wanted.source) &&
    has('detail-type', wanted['detail-type']) &&
    (wanted.target === undefined || targetArn.includes(wanted.target)) &&
    Object.entries(wanted.detail).every(
      ([name, value]) => JSON.stringify((detail as Record<string, unknown>)[name]) === JSON.stringify(value),
    )
  );
}
