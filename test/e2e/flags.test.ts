import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow, MediaState } from '../../core/contracts/table/media.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, apiAs } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { dropreel as command, homeFor } from '../support/command.ts';
import { media, version } from '../support/factories.ts';
import { readMedia } from '../support/pipeline.ts';

const LATER = '2999-01-01T00:00:00.000Z';
let home: Awaited<ReturnType<typeof homeFor>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
let api: Api;

beforeAll(async () => {
  booted = await testCloud();
  home = await homeFor(booted.cloud);
  api = await apiAs(booted.cloud, 'ann');
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

let count = 0;

/** A row as it is in that state. */
async function addRow(state: MediaState, more: Partial<MediaRow> = {}): Promise<string> {
  count += 1;
  const mediaId = await mediaIdFor('flags', String(count));
  const playable = state === 'ready' || state === 'retranscoding';
  const current = playable ? { current: version(2, { jobId: `${mediaId}-2` }) } : {};
  const todo = state === 'deleting' ? { todo: DUE_WORK.delete, todoAt: LATER } : {};
  const Item = {
    ...media({ mediaId, state, jobId: `${mediaId}-2`, ...current, ...todo, ...more }),
    ...rowKeys.media(mediaId),
  };
  await developerClients(booted.cloud).table.send(new PutCommand({ TableName: booted.cloud.outputs.Table, Item }));
  return mediaId;
}

const dropreel = (...args: string[]) => command(home.home, ['--as', 'ann', ...args]);

const NOT_FOR = {
  uploading: 'A media item that is uploading cannot be encoded again.',
  failed: 'A media item that is failed cannot be encoded again; retry it.',
  deleting: 'A media item that is deleting cannot be encoded again.',
};
const PREVIOUS = { ...version(1), expiresAt: LATER };

describe('a media item that is flagged', () => {
  it.each([
    'uploaded',
    'transcoding',
    'ready',
    'retranscoding',
  ] as const)('while it is %s, by the API and by the command', async (state) => {
    const id = await addRow(state);
    const answer = await api('POST', `/media/${id}/retranscode`);
    expect([answer.status, answer.body.scheduleRetranscode, answer.body.state]).toEqual([202, true, state]);
    expect((await api('POST', `/media/${id}/retranscode`)).status).toBe(202);
    const taken = await api('PATCH', `/media/${id}`, { body: { scheduleRetranscode: false } });
    expect([taken.status, taken.body.scheduleRetranscode]).toEqual([200, false]);
    const { stdout, exitCode } = await dropreel('retranscode', id);
    expect([exitCode, stdout]).toEqual([0, `${id}  flagged`]);
    expect(await readMedia(booted.cloud, id)).toMatchObject({ scheduleRetranscode: true, todo: DUE_WORK.retranscode });
    expect((await dropreel('show', id)).stdout).toMatch(/^flagged +yes$/m);
  });

  it.each([
    'uploading',
    'failed',
    'deleting',
  ] as const)('not while it is %s, with the reason, and nothing else of the request is done', async (state) => {
    const id = await addRow(state);
    const answer = await api('POST', `/media/${id}/retranscode`);
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([409, 'wrong_state', NOT_FOR[state]]);
    const { stderr, exitCode } = await dropreel('retranscode', id);
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining(NOT_FOR[state])]);
    if (state === 'deleting') return;
    const before = await readMedia(booted.cloud, id);
    const patched = await api('PATCH', `/media/${id}`, { body: { title: 'New', scheduleRetranscode: true } });
    expect([patched.status, patched.body.code]).toEqual([409, 'wrong_state']);
    expect(await readMedia(booted.cloud, id)).toEqual(before);
  });

  it('by its collection, and has failed since, can be unflagged', async () => {
    const id = await addRow('failed', { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: LATER });
    const taken = await api('PATCH', `/media/${id}`, { body: { scheduleRetranscode: false } });
    expect([taken.status, taken.body.scheduleRetranscode]).toEqual([200, false]);
    expect(await readMedia(booted.cloud, id)).not.toHaveProperty('todo');
  });
});

it("an operator flags another creator's collection with the command", async () => {
  await api('POST', '/collections', { body: { id: 'talks' } });
  const flag = ['retranscode', '--collection', 'talks'];
  expect((await dropreel('--as', 'root', ...flag)).exitCode).toBe(4);
  expect((await dropreel('--as', 'root', ...flag, '--creator', 'ann')).exitCode).toBe(3);
  expect((await command(home.home, [...flag, '--creator', 'ann'])).stdout).toBe('talks  flagged');
  expect((await api('GET', '/collections/talks')).body).toMatchObject({ scheduleRetranscode: true });
});

describe('a ready media item', () => {
  it('is not retried, and the refusal names the alternative', async () => {
    const id = await addRow('ready', { error: { code: 'worker_lost', message: 'Gone.', at: LATER } });
    const { status, body } = await api('POST', `/media/${id}/retry`);
    expect([status, body.code, body.detail]).toEqual([
      409,
      'wrong_state',
      'Only a failed media item can be retried; this one is ready. A re-transcode encodes it again.',
    ]);
  });

  it('is rolled back, and its view names the version to which it can be rolled back', async () => {
    const id = await addRow('retranscoding', { previous: PREVIOUS });
    expect((await dropreel('show', id)).stdout).toMatch(/^previous +1, until 2999-01-01T00:00:00.000Z$/m);
    const { exitCode, stdout } = await dropreel('rollback', id);
    expect([exitCode, stdout]).toEqual([0, `${id}  going back to the version before`]);
  });

  it.each([
    ['no version before', {}, 'no_previous_version'],
    [
      'one whose grace is over',
      { previous: { ...PREVIOUS, expiresAt: '2026-01-01T00:00:00.000Z' } },
      'no_previous_version',
    ],
  ])('is not rolled back to %s', async (_, more, code) => {
    const { status, body } = await api('POST', `/media/${await addRow('ready', more)}/rollback`);
    expect([status, body.code]).toEqual([409, code]);
  });
});

it.each([
  'uploading',
  'uploaded',
  'transcoding',
  'failed',
  'deleting',
] as const)('a media that is %s is not rolled back', async (state) => {
  const { status, body } = await api('POST', `/media/${await addRow(state)}/rollback`);
  expect([status, body.code, body.detail]).toEqual([
    409,
    'wrong_state',
    `A media item that is ${state} cannot be rolled back.`,
  ]);
});

it('a media item that was refused for its size is refused again on a retry', async () => {
  const limit = 53_687_091_200;
  const source = { ...media().source, size: limit + 1 };
  const error = { code: 'too_large' as const, message: 'Too large.', at: LATER };
  const id = await addRow('failed', { source, error, attempts: 0 });
  const { status, body } = await api('POST', `/media/${id}/retry`);
  expect([status, body.code, body.detail]).toEqual([
    409,
    'wrong_state',
    `Its file has ${limit + 1} bytes; the limit is ${limit}. Upload a smaller one.`,
  ]);
});

it.each([
  'uploading',
  'ready',
  'failed',
  'deleting',
] as const)('a media item that is %s has no encode to end', async (state) => {
  const id = await addRow(state);
  const { status, body } = await api('POST', `/media/${id}/cancel`);
  expect([status, body.detail]).toEqual([
    409,
    `A media item that is ${state} cannot be cancelled: no encode is under way.`,
  ]);
  expect((await dropreel('cancel', id)).exitCode).toBe(5);
});
