import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { RESOURCE_TYPES } from '../../local/plugins.ts';
import { DOMAINS } from './domains.ts';
import { HELD_BY } from './held-by.ts';
import { synthesize } from './synthesize.ts';

/** Each says a thing that adds resources to the template. */
const CONFIGURATIONS = [
  {},
  DOMAINS,
  { alarmEmail: 'ops@example.com' },
  { monthlyBudgetUsd: 50 },
  { gpuEngine: { maxVcpus: 8 } },
];

const INERT = Object.fromEntries(
  Object.entries(RESOURCE_TYPES).flatMap(([type, { inert }]) => (inert === undefined ? [] : [[type, inert]])),
);

let types: Set<string>;
beforeAll(async () => {
  const made = await Promise.all(CONFIGURATIONS.map((overrides) => synthesize(overrides)));
  types = new Set(
    made
      .flatMap(({ template }) => Object.values(template.toJSON().Resources as Record<string, { Type: string }>))
      .map(({ Type }) => Type),
  );
});

describe('the resource types that do nothing in the local cloud', () => {
  it('are exactly those of the template that no local service implements', () => {
    const unserved = [...types].filter((type) => !RESOURCE_TYPES[type] || type in INERT);
    expect(Object.keys(INERT).sort()).toEqual(unserved.sort());
  });

  it.each(Object.entries(INERT))('%s: its risk is described, and existing tests cover it', async (type, risk) => {
    expect(risk).toMatch(/\S/);
    const heldBy = HELD_BY[type] ?? [];
    expect(heldBy.length).toBeGreaterThan(0);
    for (const { file, title } of heldBy) {
      const source = await readFile(join(import.meta.dirname, '../..', file), 'utf8');
      expect(source.split(`it('${title}',`), `${file}: ${title}`).toHaveLength(2);
    }
  });
});
