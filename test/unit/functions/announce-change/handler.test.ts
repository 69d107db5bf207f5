import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { expect, it, vi } from 'vitest';

const put = vi.hoisted(() => vi.fn());
vi.mock('../../../../aws/bus.ts', () => ({ putEvents: put }));
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
  process.env.BUS_NAME = 'dropreel';
});

it('a row that cannot be parsed is skipped, and later ones are announced', async () => {
  const { handler } = await import('../../../../functions/announce-change/handler.ts');
  const mediaId = 'abcdefghijklmnopqrstuvwxyz';
  const text = (value: string) => ({ S: value });
  const whole = {
    type: text('media'),
    mediaId: text(mediaId),
    creatorId: text('ann'),
    collectionId: text('talks'),
    title: text('one.mp4'),
    state: text('uploaded'),
    seq: { N: '1' },
    updatedAt: text('2026-11-21T12:00:00.000Z'),
  };
  const record = (SequenceNumber: string, NewImage: object) => ({ dynamodb: { SequenceNumber, NewImage } });
  const Records = [record('1', { ...whole, state: text('melted') }), record('2', whole)];
  put.mockResolvedValueOnce({ taken: 1 });
  const answer = await handler({ Records } as DynamoDBStreamEvent, {} as Context);
  expect(answer).toEqual({ batchItemFailures: [] });
  expect(put.mock.calls[0]?.[2]).toMatchObject([{ 'detail-type': 'Media State Changed', detail: { mediaId } }]);
});
