import { describe, expect, it } from 'vitest';
import { openToOthers } from '../../../scripts/dev/open-to-others.ts';

describe('--host and --public-url', () => {
  it.each([
    ['192.168.1.5', undefined, { address: '192.168.1.5', port: 8080, url: 'http://192.168.1.5:8080' }],
    ['192.168.1.5:9000', undefined, { address: '192.168.1.5', port: 9000, url: 'http://192.168.1.5:9000' }],
    ['media.lan:80', undefined, { address: 'media.lan', port: 80, url: 'http://media.lan' }],
    ['[fd00::5]:9000', undefined, { address: 'fd00::5', port: 9000, url: 'http://[fd00::5]:9000' }],
    ['[fd00::5]', undefined, { address: 'fd00::5', port: 8080, url: 'http://[fd00::5]:8080' }],
    ['127.0.0.1', 'https://Media.example/', { address: '127.0.0.1', port: 8080, url: 'https://media.example' }],
    ['0.0.0.0', 'http://media.lan:8080', { address: '0.0.0.0', port: 8080, url: 'http://media.lan:8080' }],
  ])('%s and %s are where to listen and what others ask by', (host, publicUrl, door) => {
    expect(openToOthers(host, publicUrl)).toEqual(door);
  });

  it('open nothing when neither is given', () => {
    expect(openToOthers(undefined, undefined)).toBeUndefined();
  });

  it.each([
    [undefined, 'https://media.example', '--public-url needs --host'],
    ['0.0.0.0', undefined, '--host 0.0.0.0 needs --public-url'],
    ['[::]:9000', undefined, 'needs --public-url'],
    ['http://192.168.1.5', undefined, 'not an address of this machine'],
    ['192.168.1.5/x', undefined, 'not an address of this machine'],
    ['me@192.168.1.5', undefined, 'not an address of this machine'],
    ['192.168.1.5:99999', undefined, 'not an address of this machine'],
    ['127.0.0.1', 'media.example', 'not an origin'],
    ['127.0.0.1', 'ftp://media.example', 'not an origin'],
    ['127.0.0.1', 'https://media.example/media', 'not an origin'],
    ['127.0.0.1', 'https://a:b@media.example', 'not an origin'],
  ])('%s and %s are refused', (host, publicUrl, message) => {
    expect(() => openToOthers(host, publicUrl)).toThrow(message);
  });
});
