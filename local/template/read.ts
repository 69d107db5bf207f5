import { z } from 'zod';
import type { LoadedTemplate, Resource } from './load.ts';

/** For properties without effect here; a comment at each gives the reason. */
export const Inert = z.unknown().optional();

/** Collects problems of resources' properties, so that all are shown together. */
export class PropertyReader {
  readonly problems: string[] = [];

  /** The resource's properties, parsed by the schema; undefined, with a recorded problem, when they do not match. */
  read<T>(resource: Resource, schema: z.ZodType<T>): T | undefined {
    const parsed = schema.safeParse(resource.properties);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const path = [resource.logicalId, ...issue.path].join('.');
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys)
          this.problems.push(`${path}.${key}: this property of ${resource.type} is not served`);
      } else {
        this.problems.push(`${path}: ${issue.message}`);
      }
    }
    return undefined;
  }

  /** Records a problem that a schema can't express. */
  refuse(resource: Resource, message: string): void {
    this.problems.push(`${resource.logicalId}: ${message}`);
  }
}

/** The resources of a type: what Ref gives, and their properties. */
export function byRef(template: LoadedTemplate, type: string): { id: string; properties: unknown }[] {
  return template.ofType(type).map(({ ref, properties }) => ({ id: ref, properties }));
}
