import { PLUGINS } from '../plugins.ts';
import type { LoadOptions } from '../template/load.ts';
import type { Ports } from './ports.ts';

/** The local server for each AWS host name, for the resources that have one. */
export function localHosts(ports: Ports, resources: Parameters<LoadOptions['hosts']>[0]): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>();
  for (const { type, identity, properties } of resources.values()) {
    const plugin = PLUGINS.find(({ types }) => types[type]);
    if (!plugin?.server) continue;
    const port = ports(plugin.server);
    for (const host of plugin.types[type]?.hosts?.(identity, properties) ?? []) {
      // A configured domain that ends in `.localhost` resolves to this machine without mapping, and keeps its name.
      hosts.set(host, `${host.endsWith('.localhost') ? host : '127.0.0.1'}:${port}`);
    }
  }
  return hosts;
}
