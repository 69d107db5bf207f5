/** Event patterns as EventBridge's documentation says, through the API; pages are under docs.aws.amazon.com/eventbridge/latest/userguide/. */
import { EventBridgeClient, TestEventPatternCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, expect } from 'vitest';
import { developer, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { motoDiffers, OTHER } from '../target.ts';
import { PATTERN_CASES, REFUSED } from './pattern-cases.ts';

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

const tryPattern = async (pattern: unknown, event: unknown) => {
  const input = { EventPattern: JSON.stringify(pattern), Event: JSON.stringify(event) };
  return (await client.send(new TestEventPatternCommand(input))).Result;
};

const conforms = motoDiffers('500: it has no TestEventPattern');
for (const { title, page, pattern, event, matches } of PATTERN_CASES) {
  conforms(`${page}: ${title}`, async () => {
    expect(await tryPattern(pattern, event)).toBe(matches);
  });
}

for (const { title, page, pattern } of REFUSED) {
  conforms(`${page}: refused: ${title}`, async () => {
    await expect(tryPattern(pattern, PATTERN_CASES[0]?.event)).rejects.toMatchObject({
      name: 'InvalidEventPatternException',
    });
  });
}
