import { expect, it } from 'vitest';
import { mayBeTarget, mayConnect } from '../../../../core/webhooks/target.ts';

const STRICT = { allowLoopback: false };
const LOCAL = { allowLoopback: true };

it.each([
  'https://example.com/hook',
  'https://example.com:8443/a?b=c',
  'https://8.8.8.8/',
  'https://[2606:4700::1]/',
])('%s is accepted', (url) => {
  expect(mayBeTarget(url, STRICT)).toBe('allowed');
});

it.each([
  ['http://example.com/', 'It must be an https URL.'],
  ['ftp://example.com/', 'It must be an https URL.'],
  ['file:///etc/passwd', 'It must be an https URL.'],
  ['nonsense', 'It is not a URL.'],
  ['https://user:secret@example.com/', 'It must not contain a user name or password.'],
  ['https://example.com/#part', 'It must not contain a fragment.'],
  ['https://localhost/', 'It must be a public host.'],
  ['https://a.localhost/', 'It must be a public host.'],
  ['https://metadata.google.internal/', 'It must be a public host.'],
  ['https://127.0.0.1/', 'It must be a public host.'],
  ['https://169.254.169.254/latest/meta-data/', 'It must be a public address.'],
  ['https://2852039166/', 'It must be a public address.'],
  ['https://0x7f.1/', 'It must be a public host.'],
  ['https://[::ffff:10.0.0.1]/', 'It must be a public address.'],
  ['https://[fd00:ec2::254]/', 'It must be a public address.'],
])('%s is refused: %s', (url, why) => {
  expect(mayBeTarget(url, STRICT)).toEqual({ refused: why });
});

it('loopback is accepted where that is allowed, and nothing else', () => {
  expect(mayBeTarget('http://127.0.0.1:3000/', LOCAL)).toBe('allowed');
  expect(mayBeTarget('http://localhost:3000/', LOCAL)).toBe('allowed');
  expect(mayBeTarget('http://10.0.0.1/', LOCAL)).toEqual({ refused: 'It must be an https URL.' });
  expect(mayConnect('localhost', '127.0.0.1', LOCAL)).toBe(true);
  expect(mayConnect('localhost', '127.0.0.1', STRICT)).toBe(false);
  expect(mayConnect('localhost', '8.8.8.8', LOCAL)).toBe(false);
  expect(mayConnect('evil.example', '127.0.0.1', LOCAL)).toBe(false);
  expect(mayConnect('evil.example', '169.254.169.254', LOCAL)).toBe(false);
  expect(mayConnect('example.com', '8.8.8.8', STRICT)).toBe(true);
});
