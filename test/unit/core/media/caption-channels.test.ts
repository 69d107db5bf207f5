import { expect, test } from 'vitest';
import { CaptionChannels } from '../../../../core/media/caption-channels.ts';

/** cc_data() of one picture: its triplets in hexadecimal, between the counts and the marker behind them. */
const picture = (...triplets: string[]) => {
  return Buffer.from(`${(0xc0 + triplets.length).toString(16)}ff${triplets.join('')}ff`, 'hex');
};

function found(...pictures: Buffer[]): string[] {
  const channels = new CaptionChannels();
  for (const data of pictures) channels.add(data);
  return channels.names;
}

test.each([
  ['resume caption loading in the first field', 'fc9420', 'CC1'],
  ['roll-up in its second channel', 'fc1c25', 'CC2'],
  ['roll-up in the second field', 'fd9425', 'CC3'],
  ['direct captions in the second field, as CEA-608 has them', 'fd1529', 'CC3'],
  ['roll-up in its second channel', 'fd1c26', 'CC4'],
  ['text of the first field without a command', 'fc4869', 'CC1'],
])('%s is a channel of captions', (_, triplet, channel) => {
  expect(found(picture('fa0000', triplet))).toEqual([channel]);
});

test.each([
  ['what fills the time', ['fc8080', 'fd8080', 'fa0000']],
  ['a command that is marked as not valid', ['f89420']],
  ['text mode', ['fc942a']],
  ['a date and other data of the second field', ['fd0103', 'fd4142']],
  ['a packet of CEA-708 without a service', ['ff0100']],
  ['a service without bytes', ['ff0120']],
])('%s is no channel of captions', (_, triplets) => {
  expect(found(picture(...triplets))).toEqual([]);
});

test('services of CEA-708 are found in a packet, behind each other and beyond the sixth', () => {
  // Two bytes of service 1, one of service 2, one of service 9.
  expect(found(picture('ff0522', 'fe4142', 'fe4143', 'fee109', 'fe4400'))).toEqual([
    'SERVICE1',
    'SERVICE2',
    'SERVICE9',
  ]);
});

test('channels of all pictures are named once, in order', () => {
  const two = [picture('fd9420', 'ff0222', 'fe4142'), picture('fc9420'), picture('fd9420')];
  expect(found(...two)).toEqual(['CC1', 'CC3', 'SERVICE1']);
});

test('data that is cut off, or that says it is not to be read, is not read', () => {
  expect(found(picture('fc9420').subarray(0, 4), Buffer.from('81fffc9420ff', 'hex'), Buffer.alloc(0))).toEqual([]);
});
