import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLog, type Shown } from '../../../scripts/dev/log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const MEDIA = 'a'.repeat(26);
const change = (seq: number, from: string | null, to: string | null, more: object = {}) => ({
  source: 'dropreel',
  'detail-type': 'Media State Changed',
  detail: {
    ...{ mediaId: MEDIA, creatorId: 'ann', collectionId: 'default', title: 'my clip\u001b[2J', from, to, seq },
    ...{ at: '2026-11-29T12:00:00.000Z', ...more },
  },
});
const bad = { code: 'not_media', message: 'It is text.' };
const lost = { code: 'track_skipped', message: 'The audio track 2 was not taken.' };
const functionLine = (entry: object) => `Dropreel-Api: ${JSON.stringify({ service: 'api', ...entry })}`;

/** What is shown of the same cloud, without the times. */
async function shownOf(shown: Shown): Promise<string[]> {
  const lines: string[] = [];
  const file = join(folder, 'log.jsonl');
  const placeOf = async () => 'http://127.0.0.1:1/player/';
  const log = openLog({ file, shown, say: (line) => lines.push(line.replace(/^\d\d:\d\d:\d\d {2}/, '')), placeOf });
  log.line(functionLine({ level: 'INFO', message: 'submitted' }));
  log.line(functionLine({ level: 'WARN', message: 'bad_key', key: 'drop/x.wav' }));
  log.line(functionLine({ level: 'ERROR', message: 'Request failed', error: { message: 'no such table' } }));
  log.line('s3: the disk is full\n  at line 1');
  await log.event({ source: 'aws.s3', 'detail-type': 'Object Created', detail: {} });
  await log.event(change(1, null, 'uploaded'));
  await log.event(change(1, null, 'uploaded'));
  await log.event(change(2, 'transcoding', 'ready', { warnings: [lost] }));
  await log.event(change(3, 'retranscoding', 'ready', { error: bad }));
  await log.event(change(4, 'ready', 'failed', { error: bad }));
  await log.event(change(5, 'failed', null));
  await log.close();
  return lines;
}

const TROUBLE = [
  'ignored: drop/x.wav: the key has to be drop/{creator}/{file} or drop/{creator}/{collection}/{file}',
  'api: Request failed: no such table',
  's3: the disk is full',
];

it('shows a line for each change of a media item, once, and what went wrong', async () => {
  expect(await shownOf('changes')).toEqual([
    ...TROUBLE,
    'my clip�[2J  uploaded',
    'my clip�[2J  ready  http://127.0.0.1:1/player/  (warnings: track_skipped)',
    'my clip�[2J  ready  not_media: It is text.',
    'my clip�[2J  failed  not_media: It is text.',
    'my clip�[2J  deleted',
  ]);
});

it('shows only what failed when it is to be quiet', async () => {
  expect(await shownOf('trouble')).toEqual([...TROUBLE, 'my clip�[2J  failed  not_media: It is text.']);
});

it('shows every line as it comes when all are wanted', async () => {
  const lines = await shownOf('all');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe('Dropreel-Api: {"service":"api","level":"INFO","message":"submitted"}');
});

it('writes each line to a file as JSON, and keeps the file of the run before', async () => {
  await shownOf('trouble');
  const lines = (await readFile(join(folder, 'log.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).message)).toEqual([
    'submitted',
    'bad_key',
    'Request failed',
    's3: the disk is full\n  at line 1',
  ]);
  await shownOf('trouble');
  expect(await readFile(join(folder, 'log.jsonl.1'), 'utf8')).toBe(`${lines.join('\n')}\n`);
});
