import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bounded, WARNINGS, warning } from '../../../../core/contracts/warnings.ts';

it('a message has at most 200 characters, all of them visible, and a time of at most three decimals', () => {
  expect(warning('track_skipped', `a\u001b[31m\n\u202eb${'c'.repeat(300)}`, 1.23456)).toEqual({
    code: 'track_skipped',
    at: 1.235,
    message: `a�[31m��b${'c'.repeat(190)}…`,
  });
});

it('a version has at most 50 warnings, of which the last says how many others there were', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => warning('track_skipped', `Number ${i}.`));
  expect(bounded(many(50))).toEqual(many(50));
  expect(bounded(many(53)).slice(48)).toEqual([
    { code: 'track_skipped', message: 'Number 48.' },
    { code: 'more', message: '4 more warnings are not listed.' },
  ]);
});

it('docs/api.md explains every code', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../../docs/api.md'), 'utf8');
  const section = page.slice(page.indexOf('## Warnings'), page.indexOf('## Webhooks'));
  const rows = [...section.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, code, when]) => [code, when]);
  expect(rows).toEqual(Object.entries(WARNINGS));
});
