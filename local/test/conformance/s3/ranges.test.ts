import { type Case, runCases } from '../../support/s3-cases.ts';

/** Of `0123456789`: status, Content-Range, body or error code. */
const RANGES: [
  range: string,
  status: number,
  contentRange: string | undefined,
  body: string,
  truth: string,
  moto?: string,
][] = [
  ['bytes=0-0', 206, 'bytes 0-0/10', '0', 'RFC 9110, 14.1.2'],
  ['bytes=2-4', 206, 'bytes 2-4/10', '234', 'RFC 9110, 14.1.2'],
  ['bytes=5-', 206, 'bytes 5-9/10', '56789', 'RFC 9110, 14.1.2'],
  ['bytes=-3', 206, 'bytes 7-9/10', '789', 'RFC 9110, 14.1.2'],
  ['bytes=-20', 206, 'bytes 0-9/10', '0123456789', 'RFC 9110, 14.1.2: a longer suffix is the whole'],
  ['bytes=8-100', 206, 'bytes 8-9/10', '89', 'RFC 9110, 14.1.2: the end is cut'],
  ['bytes=10-', 416, undefined, 'InvalidRange', 'API/ErrorResponses.html: InvalidRange'],
  ['bytes=-0', 416, undefined, 'InvalidRange', 'RFC 9110, 14.1.2: an empty suffix cannot be satisfied'],
  ['bytes=5-2', 200, undefined, '0123456789', 'RFC 9110, 14.2: an invalid range is ignored'],
  ['lines=0-1', 200, undefined, '0123456789', 'RFC 9110, 14.2: an unknown unit is ignored', '206'],
];

runCases([
  ...RANGES.map(
    ([range, status, contentRange, body, truth, moto]): Case => ({
      title: `Range: ${range} is ${status}`,
      truth,
      ...(moto !== undefined && { moto }),
      run: async (t) => {
        const key = t.key();
        await t.raw({ method: 'PUT', bucket: t.plain, key, body: '0123456789' });
        const got = await t.raw({ method: 'GET', bucket: t.plain, key, headers: { range } });
        return [got.status, got.status === 416 ? undefined : got.headers['content-range'], got.code ?? got.text];
      },
      expected: [status, contentRange, body],
    }),
  ),
  {
    title: 'HEAD accepts a range, too',
    truth: 'API/API_HeadObject.html',
    run: async (t) => {
      const key = t.key();
      await t.raw({ method: 'PUT', bucket: t.plain, key, body: '0123456789' });
      const { status, headers } = await t.raw({
        method: 'HEAD',
        bucket: t.plain,
        key,
        headers: { range: 'bytes=2-4' },
      });
      return [status, headers['content-length'], headers['content-range']];
    },
    expected: [206, '3', 'bytes 2-4/10'],
  },
]);
