import { expect, it } from 'vitest';
import { failedIdentifiers } from '../../../services/lambda/partial-failures.ts';

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: success and failure conditions
it.each([
  ['an empty list', '{"batchItemFailures":[]}', []],
  ['a null list', '{"batchItemFailures":null}', []],
  ['an empty object', '{}', []],
  ['null', 'null', []],
  ['some identifiers', '{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}', ['a', 'b']],
])('%s fails only what it names', (_, payload, failed) => {
  expect(failedIdentifiers(payload)).toEqual(new Set(failed));
});

it.each([
  ['a malformed answer', '{"batchItemFailures":'],
  ['an empty identifier', '{"batchItemFailures":[{"itemIdentifier":""}]}'],
  ['a null identifier', '{"batchItemFailures":[{"itemIdentifier":null}]}'],
  ['a wrong key', '{"batchItemFailures":[{"messageId":"a"}]}'],
])('%s fails the whole batch', (_, payload) => {
  expect(failedIdentifiers(payload)).toBe('all');
});
