/** PutEvents as EventBridge's documentation says; the page is in each title, under docs.aws.amazon.com/eventbridge/latest/. */
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect } from 'vitest';
import { developer, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { motoDiffers, OTHER } from '../target.ts';

let small: SmallCloud | undefined;
let client: EventBridgeClient;
beforeAll(async () => {
  if (!OTHER) small = await smallCloud({ resources: {} }, { port: 0 });
  client = new EventBridgeClient(OTHER ?? developer(small?.cloud ?? expect.fail()));
});
afterAll(async () => {
  client.destroy();
  await small?.[Symbol.asyncDispose]();
});

const entry = (more: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  Source: 'dropreel.conformance',
  DetailType: 'Greeting',
  Detail: '{"name":"ada"}',
  ...more,
});
const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));

motoDiffers('it checks neither source nor lists as detail')(
  'APIReference/API_PutEventsResultEntry: a wrong entry fails by itself',
  async () => {
    const { FailedEntryCount, Entries } = await put(
      entry(),
      entry({ Detail: 'no json' }),
      entry({ Detail: '[1]' }),
      entry({ Source: 'aws.s3' }),
      entry({ DetailType: '' }),
    );
    expect(FailedEntryCount).toBe(4);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'MalformedDetail',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'InvalidArgument',
    ]);
  },
);

motoDiffers('it takes none')('APIReference/API_PutEvents: one to ten entries', async () => {
  await expect(put()).rejects.toMatchObject({ name: 'ValidationException' });
  const eleven = Array.from({ length: 11 }, () => entry());
  await expect(put(...eleven)).rejects.toMatchObject({ name: 'ValidationException' });
});

motoDiffers('it takes more')('userguide/eb-putevents: the entries together have at most 1 MB', async () => {
  const large = (bytes: number) => entry({ Detail: JSON.stringify({ x: 'x'.repeat(bytes) }) });
  await expect(put(large(1_000_000))).resolves.toMatchObject({ FailedEntryCount: 0 });
  await expect(put(large(600_000), large(600_000))).rejects.toMatchObject({ name: 'ValidationException' });
});

motoDiffers('ResourceNotFoundException')(
  'seen on AWS, aws/aws-cli#9186 and localstack#8264: a bus that does not exist takes events, and loses them',
  async () => {
    const { FailedEntryCount, Entries } = await put(entry({ EventBusName: 'nobody-e0f1a2' }));
    expect([FailedEntryCount, Entries?.map(({ ErrorCode }) => ErrorCode)]).toEqual([0, [undefined]]);
    if (small) expect(small.log.join('\n')).toContain('there is no bus nobody-e0f1a2');
  },
);
