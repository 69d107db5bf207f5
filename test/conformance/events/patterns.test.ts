/** Event patterns as EventBridge's documentation says, through the API. CONFORMANCE_ENDPOINT names another target. */
import { EventBridgeClient, TestEventPatternCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SmallCloud, smallCloud } from '../../helpers/small-cloud.ts';
import { clientOptions, OTHER_ENDPOINT } from '../target.ts';
import { PATTERN_CASES, REFUSED } from './pattern-cases.ts';

let small: SmallCloud | undefined;
let client: EventBridgeClient;
beforeAll(async () => {
  if (!OTHER_ENDPOINT) small = await smallCloud({ resources: {} }, { port: 0 });
  client = new EventBridgeClient(clientOptions(OTHER_ENDPOINT ?? small?.cloud.endpoint ?? ''));
});
afterAll(async () => {
  client.destroy();
  await small?.[Symbol.asyncDispose]();
});

const tryPattern = async (pattern: unknown, event: unknown) => {
  const input = { EventPattern: JSON.stringify(pattern), Event: JSON.stringify(event) };
  return (await client.send(new TestEventPatternCommand(input))).Result;
};

describe('patterns', () => {
  test.for(PATTERN_CASES)('$page: $title', async ({ pattern, event, matches }) => {
    expect(await tryPattern(pattern, event)).toBe(matches);
  });

  test.for(REFUSED)('$page: refused: $title', async ({ pattern }) => {
    await expect(tryPattern(pattern, PATTERN_CASES[0]?.event)).rejects.toMatchObject({
      name: 'InvalidEventPatternException',
    });
  });
});
