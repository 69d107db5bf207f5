/** Predicts resources that CloudFormation would replace, leave behind or refuse to change when an installation gets another template. */
import { isDeepStrictEqual } from 'node:util';
import type { RawTemplate } from './assembly.ts';
import type { ResourceType } from './resource-type.ts';

type Resource = RawTemplate['Resources'][string];
type Types = Readonly<Record<string, ResourceType>>;

/**
 * @param before the template of the installation
 * @returns a line for each resource that CloudFormation would replace, leave behind or refuse to change; those with data are in capitals.
 * Intrinsic functions are compared unresolved, and conditions are ignored
 */
export function describeUpdate(before: RawTemplate, after: RawTemplate, types: Types): string[] {
  const causes = replacedResources(before, after, types);
  return Object.entries(before.Resources).flatMap(([logicalId, old]) => {
    const type = types[old.Type] ?? {};
    const is = `${logicalId} (${old.Type})`;
    const now = after.Resources[logicalId];
    if (now?.Type !== old.Type) {
      return holdsData(old, type)
        ? [`DATA: ${is} is not in the template any more: CloudFormation would ${fate(old.DeletionPolicy)}`]
        : [];
    }
    const refused = type.refusedChanges?.(old.Properties, now.Properties) ?? [];
    if (refused.length > 0) return refused.map((why) => `AWS would refuse to change ${is}: ${why}`);
    const cause = causes.get(logicalId);
    if (!cause) return [];
    const name = type.namedBy;
    if (name && now.Properties[name] !== undefined && isDeepStrictEqual(old.Properties[name], now.Properties[name])) {
      return [`CloudFormation would refuse to replace ${is} (${cause}): the new one has the same ${name}`];
    }
    return holdsData(old, type)
      ? [`DATA: CloudFormation would make a new, empty ${is} (${cause}), and ${fate(old.UpdateReplacePolicy)}`]
      : [`CloudFormation would replace ${is} (${cause})`];
  });
}

function holdsData({ DeletionPolicy }: Resource, type: ResourceType): boolean {
  return type.holdsData === true || DeletionPolicy === 'Retain';
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html */
function fate(policy: unknown): string {
  return policy === 'Retain'
    ? 'keep the old one with its data, which the stack then no longer manages'
    : 'delete the old one with its data';
}

/** Reasons by logical id: a create-only property has changed, or refers to a replaced resource. */
function replacedResources(before: RawTemplate, after: RawTemplate, types: Types): Map<string, string> {
  const causes = new Map<string, string>();
  for (let known = -1; known < causes.size; ) {
    known = causes.size;
    for (const [logicalId, old] of Object.entries(before.Resources)) {
      const now = after.Resources[logicalId];
      if (causes.has(logicalId) || now?.Type !== old.Type) continue;
      for (const property of types[old.Type]?.createOnly ?? []) {
        const value = now.Properties[property];
        const replaced = [...causes.keys()].find((id) => refersTo(value, id));
        if (!isDeepStrictEqual(old.Properties[property], value)) causes.set(logicalId, `another ${property}`);
        else if (replaced) causes.set(logicalId, `its ${property} is ${replaced}`);
        else continue;
        break;
      }
    }
  }
  return causes;
}

function refersTo(value: unknown, logicalId: string): boolean {
  const text = JSON.stringify(value) ?? '';
  return text.includes(`{"Ref":"${logicalId}"}`) || text.includes(`{"Fn::GetAtt":["${logicalId}",`);
}
