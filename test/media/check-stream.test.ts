import { appendFile, cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
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
    const rangeless = pathname.startsWith('/rangeless/');
    const path = rangeless ? pathname.replace('/rangeless/', '/ranges/') : pathname;
    const bytes = await readFile(join(directory.path, normalize(path))).catch(() => null);
    if (!bytes) return response.writeHead(404).end();
    if (pathname.endsWith('.m3u8')) {
      const headers = {
        'Content-Type': 'application/vnd.apple.mpegurl',
        'Content-Encoding': 'gzip',
        'Cache-Control': 'no-cache',
      };
      return response.writeHead(200, headers).end(gzipSync(bytes));
    }
    if (rangeless)
      return response.writeHead(200, { 'Content-Type': 'video/mp4', 'Cache-Control': 'no-cache' }).end(bytes);
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

test('a stream on a web server that answers every range with the whole', async () => {
  expect(await brokenRules(`${url}/rangeless/master.m3u8`)).toEqual(HERE);
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

/** hvc1.2.4.L30.90 is also what mediabunny 1.61 reads of this file, with its own name for the entry. */
test('HEVC in PQ that is announced as SDR of another level', async () => {
  await using copy = await temporaryDirectory();
  const source = [...picture('64x36', '25', 1), ...tone(1), '-c:v', 'libx265', '-x265-params', 'log-level=error'];
  const pq = [
    '-pix_fmt',
    'yuv420p10le',
    '-color_trc',
    'smpte2084',
    '-color_primaries',
    'bt2020',
    '-colorspace',
    'bt2020nc',
  ];
  const hls = ['-f', 'hls', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4', 'media.m3u8'];
  await make(copy.path, ...source, ...pq, '-tag:v', 'hvc1', '-c:a', 'aac', ...hls);
  const variant = '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=64x36,CODECS="hvc1.2.4.L60.90,mp4a.40.2"';
  await writeFile(join(copy.path, 'master.m3u8'), `#EXTM3U\n#EXT-X-VERSION:7\n${variant}\nmedia.m3u8\n`);
  const lines = await brokenRules(copy.path);
  expect(lines.filter((line) => /^(codecs-right|video-range)/.test(line))).toEqual([
    'codecs-right master.m3u8:3: CODECS="hvc1.2.4.L60.90,mp4a.40.2"; right: hvc1.2.4.L30.90,mp4a.40.2',
    'video-range master.m3u8:3: VIDEO-RANGE=SDR; right: PQ',
  ]);
});

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

test('check-stream --strict ends with 1 for what is only recommended', async () => {
  await using copy = await temporaryDirectory();
  await cp(folder('files'), copy.path, { recursive: true });
  const right = 'AVERAGE-BANDWIDTH=92500,CODECS="avc1.42C00A,mp4a.40.2",RESOLUTION=64x36,FRAME-RATE=25.000,BANDWIDTH';
  await edit(join(copy.path, 'master.m3u8'), 'BANDWIDTH', right);
  // A segment begins with a keyframe, so it passes for an entry of keyframes.
  const media = await readFile(join(copy.path, 'media.m3u8'), 'utf8');
  await writeFile(join(copy.path, 'iframes.m3u8'), media.replace('#EXT-X-MAP', '#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP'));
  const iframes = 'BANDWIDTH=92500,CODECS="avc1.42C00A,mp4a.40.2",RESOLUTION=64x36,URI="iframes.m3u8"';
  await appendFile(join(copy.path, 'master.m3u8'), `#EXT-X-I-FRAME-STREAM-INF:${iframes}\n`);
  const [plain, strict] = await Promise.all(
    [[], ['--strict']].map((more) => dropreel(directory.path, ['check-stream', copy.path, ...more])),
  );
  expect([plain?.exitCode, plain?.stderr]).toEqual([0, '']);
  expect(strict?.exitCode).toBe(1);
  expect(strict?.stderr).toBe('dropreel: Broken: h264-high, separate-sound, several-rates, several-iframes.');
});

test('check-stream --rules lists them, and wants a stream otherwise', async () => {
  const { exitCode, stdout } = await dropreel(directory.path, ['check-stream', '--rules']);
  expect([exitCode, stdout.split('\n')[0]]).toEqual([
    0,
    'extm3u: The first line of a playlist is #EXTM3U (RFC 8216, 4.3.1.1)',
  ]);
  const none = await dropreel(directory.path, ['check-stream']);
  expect([none.exitCode, none.stderr]).toEqual([2, 'dropreel: Name a stream, or pass --rules.']);
});

test('check-stream of a playlist of more than 4 MiB', async () => {
  const path = folder('large.m3u8');
  await writeFile(path, '#EXTM3U\n'.repeat(600_000));
  const { exitCode, stderr } = await dropreel(directory.path, ['check-stream', path]);
  expect([exitCode, stderr]).toEqual([2, `dropreel: ${path}: a playlist of more than 4194304 bytes.`]);
});

test('check-stream of what is not there', async () => {
  const { exitCode, stderr } = await dropreel(directory.path, ['check-stream', 'nothing']);
  expect([exitCode, stderr]).toEqual([2, 'dropreel: nothing is neither a URL of http or https, nor a file or folder.']);
});
