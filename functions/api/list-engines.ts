import { getRow } from '../../aws/table.ts';
import { LoadRow } from '../../core/contracts/table/engines.ts';
import { engineKeys } from '../../core/contracts/table/keys.ts';
import { failing } from '../shared/expectations.ts';
import type { Route } from './call.ts';

/** From rows alone: the engines are asked by sweep, so that a page of the console asks nobody's API. */
export const listEngines: Route<'listEngines'> = async (_call, { table, engines }) => {
  const [down, load] = await Promise.all([failing(table, engines), getRow(table, engineKeys.load, LoadRow)]);
  const items = engines.entries().map(([name, { title }]) => {
    const look = load?.looks?.[name];
    const { failingSince: since, failures, why, pausedUntil } = down.get(name) ?? {};
    return {
      ...{ name, title },
      ...(since !== undefined &&
        failures !== undefined &&
        why !== undefined && { failing: { since, failures, why, ...(pausedUntil && { pausedUntil }) } }),
      ...(load && look && { seen: { at: load.at, ...look } }),
    };
  });
  return { body: { items } };
};
