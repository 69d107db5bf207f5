import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

/** A synthesized template, to be changed. */
export class EditableTemplate {
  readonly resources: Record<string, Resource>;

  constructor(resources: Record<string, Resource>) {
    this.resources = resources;
  }

  /** The one resource of a type whose logical id begins so. @throws Error when there is none */
  find(type: string, start: string): [string, Resource] {
    const found = Object.entries(this.resources).find(([id, { Type }]) => Type === type && id.startsWith(start));
    if (!found) throw new Error(`no ${type} ${start}`);
    return found;
  }
}

interface Document {
  Statement: { Action: string | string[]; Resource: unknown }[];
}

/** The statements of a role's own policies; each can be taken away, or made to hold for other resources. */
export function statementsOf(template: EditableTemplate, role: string) {
  const [, { Properties }] = template.find('AWS::IAM::Role', role);
  const policies = (Properties.Policies ?? []) as { PolicyDocument: Document }[];
  return policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.map((statement) => ({
      Action: [statement.Action].flat(),
      remove: () => PolicyDocument.Statement.splice(PolicyDocument.Statement.indexOf(statement), 1),
      narrow: (from: string, to: string) => {
        statement.Resource = JSON.parse(JSON.stringify(statement.Resource).replaceAll(from, to));
      },
    })),
  );
}

/** A copy of the synthesized app with its template changed, gone with `await using`. */
export async function editedAssembly(edit: (template: EditableTemplate) => void) {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-assembly-'));
  const original = resolve('cdk.out');
  const file = 'Dropreel.template.json';
  const template = JSON.parse(await readFile(join(original, file), 'utf8')) as { Resources: Record<string, Resource> };
  edit(new EditableTemplate(template.Resources));
  await cp(original, directory, { recursive: true, filter: (path) => !path.includes('/asset.') });
  for (const name of (await readdir(original)).filter((entry) => entry.startsWith('asset.'))) {
    await symlink(join(original, name), join(directory, name));
  }
  await writeFile(join(directory, file), JSON.stringify(template));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
