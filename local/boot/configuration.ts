import { createPolicies, type Policies } from '../iam/policies.ts';
import type { Configurations, ServiceOptions, ServicePlugin } from '../plugin.ts';
import { PLUGINS, RESOURCE_TYPES } from '../plugins.ts';
import { iam } from '../services/iam/plugin.ts';
import { TemplateProblems } from '../template/errors.ts';
import { type LoadedTemplate, loadTemplate } from '../template/load.ts';
import { PropertyReader } from '../template/read.ts';
import { localHosts } from './hosts.ts';
import type { Ports } from './ports.ts';

export interface Configuration extends Configurations {
  endpoint: string;
  template: LoadedTemplate;
  policies: Policies;
}

/**
 * Reads the synthesized template for every service.
 * @throws TemplateProblems with everything that can't be served
 */
export async function readConfiguration(
  assembly: string,
  ports: Ports,
  checking: { options: ServiceOptions; log: (line: string) => void },
): Promise<Configuration> {
  const endpoint = `http://127.0.0.1:${ports('gateway')}`;
  const template = await loadTemplate({
    assembly,
    endpoint,
    types: RESOURCE_TYPES,
    hosts: (resources) => localHosts(ports, resources),
  });
  const reader = new PropertyReader();
  const read = new Map<ServicePlugin, unknown>();
  for (const plugin of PLUGINS)
    if (plugin.read) record(reader, () => read.set(plugin, plugin.read?.(template, reader)));
  const configurationOf = <T>(plugin: ServicePlugin<T>): T => {
    if (read.has(plugin)) return read.get(plugin) as T;
    throw new Error(`${plugin.name} has not read the template`);
  };
  const policies = record(reader, () =>
    createPolicies({ roles: configurationOf(iam), resourcePolicies: resourcePolicies(template) }),
  );
  if (policies) {
    const context = { ...checking, reader, policies, configurationOf };
    for (const [plugin, configuration] of read) record(reader, () => plugin.check?.(configuration, context));
  }
  if (!policies || reader.problems.length > 0) throw new TemplateProblems(assembly, reader.problems);
  return { endpoint, template, policies, configurationOf };
}

/** Records an error of the work as a problem. */
function record<T>(reader: PropertyReader, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    reader.problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Policies of buckets, queues and topics, for the check at boot. */
function resourcePolicies(template: LoadedTemplate): { name: string; document: unknown }[] {
  return template.resources
    .filter(({ type }) => RESOURCE_TYPES[type]?.isPolicy)
    .map(({ logicalId, properties }) => ({ name: logicalId, document: properties.PolicyDocument }));
}
