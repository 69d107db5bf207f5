import { z } from 'zod';
import type { Resource } from './load.ts';

/** For properties that change nothing here; say at each why. */
export const Inert = z.unknown().optional();

/** Collects what is wrong with resources' properties, so that all of it is shown together. */
export class PropertyReader {
  readonly problems: string[] = [];

  /** The resource's properties as the schema gives them; undefined, and a problem noted, when they do not match. */
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

  /** Notes a problem that a schema can't say. */
  refuse(resource: Resource, message: string): void {
    this.problems.push(`${resource.logicalId}: ${message}`);
  }
}
