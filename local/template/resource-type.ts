import type { Identify, Identity } from './identity.ts';
import type { Json } from './json.ts';

/** The definition of a resource type. */
export interface ResourceType {
  /** The values of Ref and Fn::GetAtt. Default: a name made from the logical id. */
  identity?: Identify;
  /** Top-level properties that CloudFormation sets only on a new resource: createOnlyProperties in AWS's schema. */
  createOnly?: readonly string[];
  /** The property with the resource's unique name in the account, if there is one. */
  namedBy?: string;
  /** The resource holds data that a replacement does not have. */
  holdsData?: true;
  /** Changes that the schema allows and the service refuses: one line with the reason each. */
  refusedChanges?(old: Json, now: Json): string[];
  /** Its PolicyDocument says who may use another resource. It is checked at boot. */
  isPolicy?: true;
  /** AWS host names that map to the plugin's server. */
  hosts?(identity: Identity, properties: Json): string[];
  /** The resource does nothing here. The text says what fails on AWS if the template is wrong, which no local run shows. */
  inert?: string;
}
