import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { RULES } from '../../../../../core/media/hls-rules/rules.ts';

test('docs/streams.md has a row for each rule, as the list has it', async () => {
  const rows = (await readFile('docs/streams.md', 'utf8')).split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(
    RULES.map(
      ({ id, title, source, level, departure = 'yes' }) =>
        `| \`${id}\` | ${title} | ${source} | ${level} | ${departure} |`,
    ),
  );
});
