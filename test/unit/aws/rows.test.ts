import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { getRows } from '../../../aws/table-queries.ts';

it('reads rows that DynamoDB left out of an answer after pauses that grow', async () => {
  const pauses: number[] = [];
  vi.spyOn(Math, 'random').mockReturnValue(1);
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms: number) => {
    pauses.push(ms);
    queueMicrotask(work);
  }) as unknown as typeof setTimeout);
  const [one, two] = ['1', '2'].map((sk) => ({ pk: 'row', sk }));
  const answers = [
    { Responses: { rows: [one] }, UnprocessedKeys: { rows: { Keys: [two] } } },
    { Responses: { rows: [] }, UnprocessedKeys: { rows: { Keys: [two] } } },
    { Responses: { rows: [two] } },
  ];
  const client = { send: async () => answers.shift() } as unknown as DynamoDBDocumentClient;
  const keys = [one, two] as { pk: string; sk: string }[];
  const rows = await getRows({ client, name: 'rows' }, keys, z.object({ pk: z.string(), sk: z.string() }));
  vi.restoreAllMocks();
  expect(rows).toEqual([one, two]);
  expect(pauses).toEqual([50, 100]);
});
