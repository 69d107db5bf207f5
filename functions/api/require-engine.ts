import { ApiError } from '../../core/api/problem.ts';
import type { Engines } from '../../engines/registry.ts';

/** @throws ApiError where a body names an engine that this deployment does not have */
export function requireEngine({ engines }: { engines: Engines }, name: string | undefined): void {
  if (name === undefined || engines.has(name)) return;
  const message = engines.lacks(name);
  throw new ApiError('invalid_request', message, { errors: [{ path: 'body.engine', message }] });
}
