import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface FunctionResource {
  Type: string;
  Properties: { Environment?: { Variables?: Record<string, unknown> } };
}

/** Each function's environment, by its folder under functions/, with a stand-in for values known only when deployed. */
export async function readFunctionEnvironments(assembly: string): Promise<Record<string, Record<string, string>>> {
  const template = JSON.parse(await readFile(join(assembly, 'Dropreel.template.json'), 'utf8')) as {
    Resources: Record<string, FunctionResource>;
  };
  const byName: Record<string, Record<string, string>> = {};
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    const variables = Object.entries(Properties.Environment?.Variables ?? {}).map(
      ([name, value]) => [name, typeof value === 'string' ? value : 'https://example.com'] as const,
    );
    const environment = Object.fromEntries(variables);
    byName[environment.POWERTOOLS_SERVICE_NAME ?? ''] = environment;
  }
  return byName;
}
