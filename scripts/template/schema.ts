/** Checks a template's resources against the CloudFormation schemas that AWS publishes. */
import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import { isRecord, type Problem, type Template } from './problem.ts';

type SpecDatabase = Awaited<ReturnType<typeof loadAwsServiceSpec>>;
type Resource = ReturnType<typeof resourcesOf>[number];
type ResourceProperties = Resource['properties'];
type PropertyType = ResourceProperties[string]['type'];

type Report = (path: string, message: string) => void;

const PSEUDO_PARAMETERS = new Set([
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
]);

let loading: ReturnType<typeof load> | undefined;

/** Two and a half megabytes, unpacked once. */
async function load() {
  const spec = await loadAwsServiceSpec();
  return { spec, byType: new Map(resourcesOf(spec).map((resource) => [resource.cloudFormationType, resource])) };
}

export async function checkSchemas(template: Template): Promise<Problem[]> {
  loading ??= load();
  const { spec, byType } = await loading;
  const find = (type: string) => byType.get(type);
  const problems: Problem[] = [];
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const report: Report = (path, message) => problems.push({ logicalId, type: resource.Type, path, message });
    const schema = find(resource.Type);
    if (!schema) {
      report('', 'CloudFormation has no such resource type');
      continue;
    }
    new Checker(spec, template, find, report).properties(schema.properties, resource.Properties ?? {}, 'Properties');
  }
  return problems;
}

function resourcesOf(spec: Awaited<ReturnType<typeof loadAwsServiceSpec>>) {
  return spec.all('resource');
}

class Checker {
  readonly #spec: SpecDatabase;
  readonly #template: Template;
  readonly #find: (type: string) => Resource | undefined;
  readonly #report: Report;

  constructor(spec: SpecDatabase, template: Template, find: (type: string) => Resource | undefined, report: Report) {
    this.#spec = spec;
    this.#template = template;
    this.#find = find;
    this.#report = report;
  }

  properties(schema: ResourceProperties, given: Record<string, unknown>, path: string): void {
    for (const name of Object.keys(given)) {
      if (!schema[name]) this.#report(`${path}.${name}`, 'there is no such property');
    }
    for (const [name, property] of Object.entries(schema)) {
      const value = given[name];
      if (value === undefined) {
        if (property.required) this.#report(`${path}.${name}`, 'is required');
        continue;
      }
      this.#value(property.type, value, `${path}.${name}`);
    }
  }

  #value(type: PropertyType, value: unknown, path: string): void {
    const intrinsic = intrinsicOf(value);
    if (intrinsic) {
      this.#intrinsic(intrinsic, path);
      return;
    }
    const problem = this.#mismatch(type, value, path);
    if (problem) this.#report(path, problem);
  }

  /** What is wrong with the value itself; mistakes inside of it are reported on the way. */
  #mismatch(type: PropertyType, value: unknown, path: string): string | undefined {
    switch (type.type) {
      case 'string': {
        if (typeof value !== 'string') return `must be a string, not ${JSON.stringify(value)}`;
        if (type.allowedValues && !type.allowedValues.includes(value)) {
          return `must be one of ${type.allowedValues.join(', ')}, not ${JSON.stringify(value)}`;
        }
        return;
      }
      case 'integer':
        return Number.isInteger(value) ? undefined : `must be a whole number, not ${JSON.stringify(value)}`;
      case 'number':
        return typeof value === 'number' ? undefined : `must be a number, not ${JSON.stringify(value)}`;
      case 'boolean':
        return typeof value === 'boolean' ? undefined : `must be true or false, not ${JSON.stringify(value)}`;
      case 'date-time':
        return typeof value === 'string' ? undefined : 'must be a time';
      case 'json':
        this.#references(value, path);
        return typeof value === 'object' || typeof value === 'string' ? undefined : 'must be JSON';
      case 'tag':
        return isRecord(value) && 'Key' in value && 'Value' in value ? undefined : 'must be a tag of Key and Value';
      case 'ref': {
        if (!isRecord(value)) return `must be an object, not ${JSON.stringify(value)}`;
        this.properties(this.#spec.get('typeDefinition', type.reference.$ref).properties, value, path);
        return;
      }
      case 'array': {
        if (!Array.isArray(value)) return `must be a list, not ${JSON.stringify(value)}`;
        for (const [i, element] of value.entries()) this.#value(type.element, element, `${path}[${i}]`);
        return;
      }
      case 'map': {
        if (!isRecord(value)) return `must be a map, not ${JSON.stringify(value)}`;
        for (const [key, element] of Object.entries(value)) this.#value(type.element, element, `${path}.${key}`);
        return;
      }
      case 'union':
        return this.#union(type.types, value, path);
      default:
        return;
    }
  }

  /** The first type that fits as a whole; else the mistakes inside the first that fits at its top. */
  #union(types: PropertyType[], value: unknown, path: string): string | undefined {
    const tried = types.map((type) => {
      const inside: [path: string, message: string][] = [];
      const checker = new Checker(this.#spec, this.#template, this.#find, (...problem) => inside.push(problem));
      return { mismatch: checker.#mismatch(type, value, path), inside };
    });
    const fitting = tried.filter(({ mismatch }) => mismatch === undefined);
    if (fitting.length === 0) return `fits none of its types (${tried.map(({ mismatch }) => mismatch).join('; ')})`;
    const best = fitting.find(({ inside }) => inside.length === 0) ?? fitting[0];
    for (const problem of best?.inside ?? []) this.#report(...problem);
    return;
  }

  /** Checks intrinsic functions anywhere inside free JSON. */
  #references(value: unknown, path: string): void {
    const intrinsic = intrinsicOf(value);
    if (intrinsic) this.#intrinsic(intrinsic, path);
    else if (Array.isArray(value))
      for (const [i, element] of value.entries()) this.#references(element, `${path}[${i}]`);
    else if (isRecord(value))
      for (const [key, inner] of Object.entries(value)) this.#references(inner, `${path}.${key}`);
  }

  #intrinsic({ name, argument }: { name: string; argument: unknown }, path: string): void {
    if (name === 'Ref') {
      const target = String(argument);
      const known =
        PSEUDO_PARAMETERS.has(target) ||
        target in this.#template.Resources ||
        target in (this.#template.Parameters ?? {});
      if (!known) this.#report(path, `refers to ${target}, which is not there`);
    } else if (name === 'Fn::GetAtt') {
      const [target, attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split(/\.(.*)/s);
      const resource = this.#template.Resources[target ?? ''];
      if (!resource) this.#report(path, `refers to ${target}, which is not there`);
      else if (!this.#find(resource.Type)?.attributes[attribute ?? '']) {
        this.#report(path, `${resource.Type} has no attribute ${attribute}`);
      }
    } else {
      this.#references(argument, path);
    }
  }
}

function intrinsicOf(value: unknown): { name: string; argument: unknown } | undefined {
  if (!isRecord(value)) return;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  return others.length === 0 && (name === 'Ref' || name.startsWith('Fn::')) ? { name, argument } : undefined;
}
