import { createHash } from 'node:crypto';

/**
 * The name of a resource for which the template gives none: stack and logical id in lower case. One that is too long keeps
 * its start and ends in a hash of the whole, so that it is stable and its own.
 */
export function physicalName(stack: string, logicalId: string, maxLength: number): string {
  const name = `${stack}-${logicalId}`.toLowerCase();
  if (name.length <= maxLength) return name;
  return `${name.slice(0, maxLength - 9)}-${digest(name, 8)}`;
}

/** A made-up id as AWS gives to APIs, distributions and the like: letters and digits, the same for the same resource. */
export function physicalId(stack: string, logicalId: string, length: number): string {
  return digest(`${stack}/${logicalId}`, length);
}

function digest(text: string, length: number): string {
  const number = BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
  // The leading letter keeps it from being read as a number.
  return `d${number.toString(36)}`.slice(0, length);
}
