import { expect, test } from 'vitest';
import { AwsError, type Service } from '../../../kernel/service.ts';
import { s3Origin } from '../../../services/cloudfront/origin.ts';

const tooLong = new AwsError('KeyTooLongError', 400, 'Your key is too long');
const s3: Service = {
  name: 's3',
  operation: () => {
    throw tooLong;
  },
  handle: async () => ({ status: 200 }),
  renderError: ({ status, code }) => ({ status, body: code }),
};

test('a path that S3 refuses before it knows the operation is answered as S3 answers', async () => {
  const origin = s3Origin(s3, () => Promise.reject(new Error('not called')));
  const request = { principal: { type: 'anonymous' }, method: 'GET', path: '/b/k', headers: {} } as const;
  expect(await origin(request)).toEqual({ status: 400, body: 'KeyTooLongError' });
});
