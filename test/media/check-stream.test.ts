import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenRules } from '../support/by-the-book.ts';
import { dropreel } from '../support/command.ts';
import { H264_AAC, make, picture, temporaryDirectory, tone } from '../support/media.ts';

/** Streams that ffmpeg makes, not dropreel: 8 s in segments of 6, as files and as ranges of one file. */
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: Server;
let url: string;
const folder = (name: string) => join(directory.path, name);

beforeAll(async () => {
  directory = await temporaryDirectory();
  await Promise.all(['files', 'ranges'].map((name) => mkdir(folder(name))));
  const source = [...picture('64x36', '25', 8), ...tone(8), ...H264_AAC, '-g', '50', '-keyint_min', '50'];
  const hls = ['-f', 'hls', '-hls_time', '6', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'];
  await make(folder('files'), ...source, '-ac', '1', ...hls, 'media.m3u8');
  await make(folder('ranges'), ...source, '-ac', '1', ...hls, '-hls_flags', 'single_file', 'media.m3u8');
  const master = (peak: number) =>
    `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=${peak}\nmedia.m3u8\n`;
  await Promise.all(['files', 'ranges'].map((name) => writeFile(join(folder(name), 'master.m3u8'), master(92_500))));
  server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    if (pathname === '/moved/master.m3u8') return response.writeHead(302, { Location: '/files/master.m3u8' }).end();
    if (pathname === '/away/master.m3u8') return response.writeHead(302, { Location: 'file:///etc/passwd' }).end();
    if (pathname === '/round/master.m3u8') return response.writeHead(302, { Location: pathname }).end();
    const bytes = await readFile(join(directory.path, normalize(pathname))).catch(() => null);
    if (!bytes) return response.writeHead(404).end();
    if (pathname.endsWith('.m3u8')) {
      const headers = {
        'Content-Type': 'application/vnd.apple.mpegurl',
        'Content-Encoding': 'gzip',
        'Cache-Control': 'no-cache',
      };
      return response.writeHead(200, headers).end(gzipSync(bytes));
    }
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const part = bytes.subarray(Number(from), Number(to) + 1);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    return response.writeHead(206, { 'Content-Range': range, 'Content-Type': 'video/mp4' }).end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await directory[Symbol.asyncDispose]();
});

const HERE = [
  'average-given master.m3u8:4: no AVERAGE-BANDWIDTH; right: AVERAGE-BANDWIDTH=…',
  'codecs-given master.m3u8:4: no CODECS; right: CODECS=…',
  'separate-sound master.m3u8:4: both in one playlist; right: an AUDIO group',
];

test.each(['files', 'ranges'])('a stream of %s on disk', async (name) => {
  expect(await brokenRules(folder(name))).toEqual(HERE);
});

test('a stream on the web, byte by byte where its ranges are', async () => {
  const uncached = 'cache-control media.m3u8:6: no Cache-Control; right: Cache-Control: max-age=…';
  expect(await brokenRules(`${url}/ranges/master.m3u8`)).toEqual([...HERE, uncached]);
});

/** What breaks, by what is done to the folder `files`, or the file of `ranges`. */
const DAMAGE: [string, string, (to: string) => Promise<unknown>][] = [
  [
    'reachable media.m3u8:10: media1.m4s: no such file; right: the segment',
    'files',
    (to) => rm(join(to, 'media1.m4s')),
  ],
  [
    'reachable media.m3u8:10: media1.m4s: outside the folder; right: the segment',
    'files',
    async (to) => {
      await rm(join(to, 'media1.m4s'));
      await symlink('/etc/hostname', join(to, 'media1.m4s'));
    },
  ],
  [
    'reachable media.m3u8:10: ../../../etc/hostname: outside the folder; right: the segment',
    'files',
    (to) => edit(join(to, 'media.m3u8'), 'media1.m4s', '../../../etc/hostname'),
  ],
  [
    'reachable media.m3u8:10: file:///etc/hostname: not a file of this folder; right: the segment',
    'files',
    (to) => edit(join(to, 'media.m3u8'), 'media1.m4s', 'file:///etc/hostname'),
  ],
  [
    'reachable media.m3u8:6: init.mp4: no moov box in moov; right: an init segment',
    'files',
    (to) => writeFile(join(to, 'init.mp4'), 'no boxes'),
  ],
  [
    'durations-as-announced media.m3u8:8: 5.5 s; -0.500 s off by here; right: 6.000000 s',
    'files',
    (to) => edit(join(to, 'media.m3u8'), '6.000000', '5.5'),
  ],
];

test.each(DAMAGE)('%s', async (line, name, damage) => {
  await using copy = await temporaryDirectory();
  await cp(folder(name), copy.path, { recursive: true });
  await damage(copy.path);
  expect(await brokenRules(copy.path)).toContain(line);
});

test('a range beyond the end of its file', async () => {
  await using copy = await temporaryDirectory();
  await cp(folder('ranges'), copy.path, { recursive: true });
  await truncate(join(copy.path, 'media.m4s'), 60_000);
  const lines = await brokenRules(copy.path);
  expect(lines.filter((line) => line.startsWith('reachable'))).toEqual([
    'reachable media.m3u8:9: media.m4s: its range ends beyond 60000 bytes; right: the segment',
    'reachable media.m3u8:12: media.m4s: its range ends beyond 60000 bytes; right: the segment',
  ]);
});

async function edit(path: string, text: string, instead: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace(text, instead));
}

/** Address, or path, and what the command then says and ends with. */
const COMMANDS: [string, number, string][] = [
  ['/away/master.m3u8', 6, 'URL/away/master.m3u8: file: is not followed.'],
  ['/round/master.m3u8', 6, 'URL/round/master.m3u8: more than 5 redirects.'],
  ['/none/master.m3u8', 6, 'URL/none/master.m3u8: it was answered 404.'],
  ['/moved/master.m3u8', 1, 'Broken: average-given, codecs-given.'],
];

test.each(COMMANDS)('check-stream %s ends with %d', async (path, exitCode, message) => {
  const { exitCode: ended, stderr } = await dropreel(directory.path, ['check-stream', `${url}${path}`]);
  expect([ended, stderr]).toEqual([exitCode, `dropreel: ${message.replace('URL', url)}`]);
});

test('check-stream --json names rule, line and source', async () => {
  const { exitCode, stdout } = await dropreel(directory.path, ['check-stream', folder('files'), '--json']);
  const { findings, ...counts } = JSON.parse(stdout) as { findings: unknown[] };
  expect([exitCode, counts]).toEqual([1, { playlists: 2, segments: 2, complete: true }]);
  expect(findings[0]).toEqual({
    rule: 'average-given',
    source: 'Apple 9.14',
    level: 'must',
    playlist: 'master.m3u8',
    line: 4,
    found: 'no AVERAGE-BANDWIDTH',
    right: 'AVERAGE-BANDWIDTH=…',
  });
});

test('check-stream of what is not there', async () => {
  const { exitCode, stderr } = await dropreel(directory.path, ['check-stream', 'nothing']);
  expect([exitCode, stderr]).toEqual([2, 'dropreel: nothing is neither a URL of http or https, nor a file or folder.']);
});
