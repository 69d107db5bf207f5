import { createHash } from 'node:crypto';

/**
 * The name of a resource without one in the template: stack and logical id in lower case. A name that is too long keeps
 * its start and ends in a hash of the whole, so that it is stable and unique.
 */
export function physicalName(stack: string, logicalId: string, maxLength: number): string {
  const name = `${stack}-${logicalId}`.toLowerCase();
  if (name.length <= maxLength) return name;
  return `${name.slice(0, maxLength - 9)}-${digest(name, 8)}`;
}

/** An id as AWS assigns to APIs, distributions and similar resources: letters and digits, constant for a resource. */
export function physicalId(stack: string, logicalId: string, length: number): string {
  return digest(`${stack}/${logicalId}`, length);
}

function digest(text: string, length: number): string {
  const number = BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
  // The leading letter keeps it from being read as a number.
  return `d${number.toString(36)}`.slice(0, length);
}
