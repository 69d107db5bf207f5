import { ACCOUNT_ID, REGION } from '../kernel/account.ts';
import { type Assets, type RawTemplate, readAssembly } from './assembly.ts';
import { TemplateError, TemplateProblems } from './errors.ts';
import { type Identity, plain } from './identity.ts';
import { evaluateCondition, resolve, type Scope } from './intrinsics.ts';
import type { Json } from './json.ts';
import type { ResourceType } from './resource-type.ts';

/** A served resource with its intrinsic functions resolved. */
export interface Resource {
  logicalId: string;
  type: string;
  /** Physical name or id. */
  name: string;
  ref: string;
  /** Values of Fn::GetAtt: `Arn`. */
  attributes: Readonly<Record<string, string>>;
  properties: Json;
}

export interface LoadedTemplate {
  stack: string;
  /** The unresolved template, for comparison at the next boot. */
  raw: RawTemplate;
  resources: readonly Resource[];
  ofType(type: string): Resource[];
  outputs: Readonly<Record<string, string>>;
  assets: Assets;
}

export interface LoadOptions {
  /** Output directory of cdk synth. */
  assembly: string;
  /** Base URL of the local endpoint. */
  endpoint: string;
  /** Served and inert resource types. Any other type is a problem. */
  types: Readonly<Record<string, ResourceType>>;
  /** Returns local replacements of AWS host names, from the resources' unresolved properties: `d1.cloudfront.net` → `127.0.0.1:4568`. */
  hosts(
    resources: ReadonlyMap<string, { type: string; identity: Identity; properties: Json }>,
  ): ReadonlyMap<string, string>;
}

/**
 * Reads the assembly's one stack and resolves it.
 * @throws TemplateProblems naming every resource that can't be served, with the reason
 */
export async function loadTemplate(options: LoadOptions): Promise<LoadedTemplate> {
  const { stack, file, template, assets } = await readAssembly(options.assembly);
  const problems: string[] = [];
  const attempt = <T>(where: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.push(`${where}: ${error.message}`);
      return undefined;
    }
  };
  const scope = new TemplateScope(template, stack, options);
  const present = Object.entries(template.Resources).filter(
    ([logicalId, { Condition: condition }]) =>
      condition === undefined || attempt(logicalId, () => scope.condition(condition)),
  );
  const identities = new Map(
    present.flatMap(([logicalId, { Type: type, Properties: properties }]) => {
      const identity = attempt(logicalId, () => scope.identity(logicalId));
      return identity ? [[logicalId, { type, identity, properties }] as const] : [];
    }),
  );
  const localize = replaceHosts(options.hosts(identities));
  const resources: Resource[] = [];
  for (const [logicalId, { Type: type, Properties }] of present) {
    if (options.types[type]?.inert) continue;
    if (!options.types[type]) {
      problems.push(`${logicalId}: the resource type ${type} is not served`);
      continue;
    }
    const identity = identities.get(logicalId)?.identity;
    const properties: Json = {};
    for (const [name, value] of Object.entries(Properties)) {
      const resolved = attempt(`${logicalId}.${name}`, () => withoutReferences(resolve(value, scope)));
      if (resolved !== undefined) properties[name] = localize(resolved);
    }
    if (identity) resources.push({ logicalId, type, ...identity, properties });
  }
  const outputs: Record<string, string> = {};
  for (const [name, { Value, Condition: condition }] of Object.entries(template.Outputs)) {
    if (condition !== undefined && !scope.condition(condition)) continue;
    const value = attempt(`output ${name}`, () => resolve(Value, scope));
    if (value !== undefined) outputs[name] = String(localize(value));
  }
  if (problems.length > 0) throw new TemplateProblems(file, problems);
  return {
    stack,
    raw: template,
    resources,
    outputs,
    assets,
    ofType: (type) => resources.filter((it) => it.type === type),
  };
}

class TemplateScope implements Scope {
  readonly #template: RawTemplate;
  readonly #stack: string;
  readonly #endpoint: string;
  readonly #types: LoadOptions['types'];
  readonly #identities = new Map<string, Identity>();
  readonly #pending = new Set<string>();

  constructor(template: RawTemplate, stack: string, { endpoint, types }: Pick<LoadOptions, 'endpoint' | 'types'>) {
    this.#template = template;
    this.#stack = stack;
    this.#endpoint = endpoint;
    this.#types = types;
  }

  identity(logicalId: string): Identity {
    const known = this.#identities.get(logicalId);
    if (known) return known;
    const resource = this.#template.Resources[logicalId];
    if (!resource) throw new TemplateError(`there is no resource ${logicalId}`);
    if (this.#pending.has(logicalId)) throw new TemplateError(`the name of ${logicalId} depends on itself`);
    this.#pending.add(logicalId);
    const identify = this.#types[resource.Type]?.identity ?? plain;
    const identity = identify({
      stack: this.#stack,
      logicalId,
      endpoint: this.#endpoint,
      property: (name) => {
        const value = resolve(resource.Properties[name], this);
        return typeof value === 'string' ? value : undefined;
      },
    });
    this.#pending.delete(logicalId);
    this.#identities.set(logicalId, identity);
    return identity;
  }

  ref(name: string): unknown {
    const pseudo = PSEUDO_PARAMETERS[name];
    if (pseudo !== undefined) return pseudo;
    if (name === 'AWS::StackName') return this.#stack;
    if (name === 'AWS::StackId') return `arn:aws:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${this.#stack}/local`;
    const parameter = this.#template.Parameters[name];
    if (!parameter) return this.identity(name).ref;
    if (parameter.Default === undefined) throw new TemplateError(`the parameter ${name} has no default`);
    return parameter.Default;
  }

  getAtt(logicalId: string, attribute: string): unknown {
    const { attributes } = this.identity(logicalId);
    const value = attributes[attribute];
    if (value !== undefined) return value;
    const type = this.#template.Resources[logicalId]?.Type ?? '';
    // The value does not matter, because the resource does nothing.
    if (this.#types[type]?.inert) return `${logicalId}.${attribute}`;
    throw new TemplateError(`the attribute ${attribute} of ${logicalId} (${type}) is not served`);
  }

  condition(name: string): boolean {
    if (!(name in this.#template.Conditions)) throw new TemplateError(`there is no condition ${name}`);
    return evaluateCondition(this.#template.Conditions[name], this);
  }

  findInMap(map: string, key: string, second: string): unknown {
    const value = this.#template.Mappings[map]?.[key]?.[second];
    if (value === undefined) throw new TemplateError(`Fn::FindInMap: there is no ${map}.${key}.${second}`);
    return value;
  }
}

const PSEUDO_PARAMETERS: Readonly<Record<string, unknown>> = {
  'AWS::AccountId': ACCOUNT_ID,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::NotificationARNs': [],
};

/** @throws TemplateError for dynamic references, which CloudFormation resolves at deployment */
function withoutReferences(value: unknown): unknown {
  if (JSON.stringify(value)?.includes('{{resolve:')) throw new TemplateError('dynamic references are not served');
  return value;
}

/** Replaces AWS host names by local ones, and https by http, in every text of a value. */
function replaceHosts(hosts: ReadonlyMap<string, string>): (value: unknown) => unknown {
  // Not as part of a longer name.
  const patterns = [...hosts].map(([host, local]): [RegExp, string] => [
    new RegExp(`(https://)?(?<![\\w.-])${host.replaceAll('.', '\\.')}(?![\\w.-])`, 'g'),
    local,
  ]);
  const inText = (text: string): string => {
    let result = text;
    for (const [pattern, local] of patterns) {
      result = result.replaceAll(pattern, (_, protocol?: string) => `${protocol ? 'http://' : ''}${local}`);
    }
    return result;
  };
  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') return inText(value);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [inText(key), visit(item)]));
  };
  return visit;
}
