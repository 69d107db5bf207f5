import type { Secret } from '../contracts/table/webhooks.ts';
import { isoOf, plus } from '../time.ts';

/** How long the old secret signs beside the new one. */
const ROTATION_HOURS = 24;

export function newSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}

/** The newest comes first. A rotation within 24 hours of another ends the oldest secret at once. */
export function rotate(secrets: readonly Secret[], fresh: string, now: number): Secret[] {
  const [current] = secrets;
  const expiresAt = plus(isoOf(now), { hours: ROTATION_HOURS });
  return [{ secret: fresh }, ...(current ? [{ secret: current.secret, expiresAt }] : [])];
}

/** Secrets that sign at `now` (ISO 8601). */
export function validSecrets(secrets: readonly Secret[], now: string): string[] {
  return secrets.filter((secret) => !secret.expiresAt || secret.expiresAt > now).map((secret) => secret.secret);
}
