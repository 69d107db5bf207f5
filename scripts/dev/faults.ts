import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { createFaults, type Faults } from '../../local/faults/faults.ts';

/**
 * Reads a plan from a JSON file.
 * @throws Error naming the file and its mistakes
 */
export async function readFaults(file: string): Promise<Faults> {
  try {
    return createFaults(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof z.ZodError) throw new Error(`--faults ${file}: ${reasons(error.issues).join('; ')}`);
    throw new Error(`--faults ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The issues of an entry, for the kind of fault that it resembles most. */
function reasons(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): string[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    const nearest = issue.code === 'invalid_union' && issue.errors.toSorted((a, b) => a.length - b.length)[0];
    return nearest ? reasons(nearest, path) : [`${z.core.toDotPath(path)}: ${issue.message}`];
  });
}
