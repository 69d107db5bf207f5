import { ACCOUNT_ID, REGION } from '../kernel/account.ts';
import { physicalId, physicalName } from './names.ts';

/** The values of Ref and Fn::GetAtt for a resource. */
export interface Identity {
  /** Physical name or id, as in logs and metrics. */
  name: string;
  ref: string;
  attributes: Readonly<Record<string, string>>;
}

export interface Naming {
  stack: string;
  logicalId: string;
  /** `http://127.0.0.1:4566`: base of the queues' URLs. */
  endpoint: string;
  /** A resolved property; read only for properties that determine the name. */
  property(name: string): string | undefined;
}

export type Identify = (naming: Naming) => Identity;

/**
 * A named resource type: the name is `property`, or made from the logical id, with at most `max` characters, the limit in the
 * service's API reference.
 */
export function named(
  property: string,
  max: number,
  identity: (name: string, naming: Naming) => { ref?: string; attributes?: Record<string, string> },
): Identify {
  return (naming) => {
    const name = naming.property(property) ?? physicalName(naming.stack, naming.logicalId, max);
    const { ref = name, attributes = {} } = identity(name, naming);
    return { name, ref, attributes };
  };
}

/** A resource type whose id AWS assigns. */
export function numbered(
  length: number,
  identity: (id: string) => { ref?: string; attributes?: Record<string, string> },
): Identify {
  return ({ stack, logicalId }) => {
    const id = physicalId(stack, logicalId, length);
    const { ref = id, attributes = {} } = identity(id);
    return { name: id, ref, attributes };
  };
}

/** A resource type to which others refer only by its id. */
export const plain: Identify = ({ stack, logicalId }) => {
  const name = physicalName(stack, logicalId, 128);
  return { name, ref: name, attributes: { Id: name, Arn: name } };
};

export const arnOf = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
/** Ref returns the ARN, which ends in `{kind}/{name}`. */
export const byArn = (service: string, kind: string, attribute: string, suffix = '') =>
  function identity(name: string) {
    const own = arnOf(service, `${kind}/${name}${suffix}`);
    return { ref: own, attributes: { [attribute]: own } };
  };
