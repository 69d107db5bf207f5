import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { JobState } from '../../core/contracts/table/jobs.ts';
import { MediaState } from '../../core/contracts/table/media.ts';

it('docs/architecture.md draws every state of a media item and of a job, and no other', async () => {
  const text = await readFile('docs/architecture.md', 'utf8');
  const drawn = [...text.matchAll(/```mermaid\nstateDiagram-v2\n(.*?)```/gs)].map(([, diagram = '']) => {
    const ends = [...diagram.matchAll(/^ +(\S+) --> ([a-z]+|\[\*\])/gm)].flatMap(([, from = '', to = '']) => [
      from,
      to,
    ]);
    return [...new Set(ends)].filter((state) => state !== '[*]').sort();
  });
  expect(drawn).toEqual([[...MediaState.options].sort(), [...JobState.options].sort()]);
});
