import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Estimate } from '../../core/contracts/http/estimate.ts';
import { MediaView } from '../../core/contracts/http/media.ts';
import { Stats } from '../../core/contracts/http/system.ts';
import { startReceiver, tokenOf } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { BIN, dropreel, homeFor } from '../support/command.ts';
import { probe, sweepUntil, sweepUntilJob, testVideo } from '../support/pipeline.ts';
import { HAS_TERMINAL, onTerminal } from '../support/terminal.ts';

/** Control sequences of a terminal: DECTCEM. */
const HIDDEN_CURSOR = '\x1b[?25l';
const SHOWN_CURSOR = '\x1b[?25h';

let home: string;
let made: Awaited<ReturnType<typeof homeFor>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
/** Sees each UploadPart before it is served. */
let beforePart: () => Promise<void> = async () => {};

beforeAll(async () => {
  booted = await testCloud({
    environment: { WEBHOOK_ALLOW_LOOPBACK: 'true' },
    hooks: {
      before: async (call) => {
        if (call.service === 's3' && call.operation === 'UploadPart') await beforePart();
      },
    },
  });
  made = await homeFor(booted.cloud);
  home = made.home;
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await made[Symbol.asyncDispose]();
});

const start = (...args: string[]) => dropreel(home, args);
const startWith = (more: Record<string, string>, ...args: string[]) => dropreel(home, args, more);

async function run(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await start(...args);
  expect(exitCode, `${args.join(' ')}\n${stderr}\n${stdout}`).toBe(0);
  return stdout;
}

async function json<T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> {
  return schema.parse(JSON.parse(await run(...args, '--json')));
}

describe('the life of a video, by the command line only', () => {
  it('goes from a file to a stream, a new version, a rollback, a download and a deletion', async () => {
    await testVideo(join(home, 'my clip.mp4'), { seconds: 2 });
    await run('collections', 'create', 'talks', '--preset', 'compact');
    const expected = await json(Estimate, 'estimate', 'my clip.mp4', '--preset', 'compact');
    const choice = [{ engine: 'batch-cpu', reason: 'It is the only engine that there is.', media: 1 }];
    expect(expected).toMatchObject({ media: 1, complete: true, engines: [{ engine: 'batch-cpu', media: 1 }], choice });
    expect(await run('estimate', 'my clip.mp4')).toMatch(/^batch-cpu +0 s +\$0\.000015 +0 jobs$/m);
    const media = await json(MediaView, 'upload', 'my clip.mp4', '-c', 'talks', '--wait');
    const { id } = media;
    expect(media).toMatchObject({ state: 'ready', title: 'my clip', collectionId: 'talks', creatorId: 'me' });

    // Lists are read from an index, which lags behind the table.
    await eventually('it is listed', async () => {
      return (await run('ls', '--collection', 'talks', '--state', 'ready')).includes(`${id}  ready  0:02`);
    });
    const [shown, url] = await Promise.all([run('show', id, '--jobs'), run('open', id, '--print')]);
    expect(shown).toMatch(/state +ready/);
    expect(shown).toContain(`${id}-1  ingest   published`);
    expect(url).toBe(`${booted.cloud.deliveryUrl}/player/?creator=me&media=${id}`);
    expect((await fetch(url)).status).toBe(200);
    expect(await json(Estimate, 'estimate', '--media', id)).toMatchObject({ media: 1, choice });
    expect(await json(Estimate, 'estimate', '--collection', 'talks')).toMatchObject({ media: 1, choice });
    expect(media.job?.estimate?.usd).toBe(0.000016);

    await run('retranscode', id);
    await sweepUntilJob(booted.cloud, id, 2);
    await eventually('a second version', async () => (await json(MediaView, 'show', id)).version?.n === 2, 90_000);
    expect((await json(MediaView, 'watch', id)).state).toBe('ready');
    await run('rollback', id);
    await eventually('the first version again', async () => (await json(MediaView, 'show', id)).version?.n === 1);

    await run('edit', id, '--title', 'Renamed');
    expect(await run('download', id, '-o', 'saved.mp4')).toMatch(/^saved\.mp4 /);
    await writeFile(join(home, 'saved.mp4'), 'mine');
    const refused = await start('download', id, '-o', 'saved.mp4');
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('saved.mp4 exists already')]);
    expect(await readFile(join(home, 'saved.mp4'), 'utf8')).toBe('mine');
    expect(await run('download', id, '-o', 'saved.mp4', '--force')).toMatch(/^saved\.mp4 /);
    expect((await readdir(home)).filter((name) => name.endsWith('.part'))).toEqual([]);
    const { stdout: piped } = await dropreel(home, ['download', id, '-o', '-'], {}, 'buffer');
    expect(Buffer.from(piped).equals(await readFile(join(home, 'saved.mp4')))).toBe(true);
    expect(await readdir(home)).not.toContain('-');
    expect((await probe(join(home, 'saved.mp4'))).streams.map((stream) => stream.codec_type).sort()).toEqual([
      'audio',
      'video',
    ]);

    const stats = () => json(Stats, 'stats');
    await eventually('stats count it, and both its encodes', async () => {
      const { media, estimates } = await stats();
      return media.ready === 1 && estimates[0]?.jobs === 2;
    });
    expect((await stats()).estimates[0]?.expectedUsd).toBeGreaterThan(0);
    expect((await json(Estimate, 'estimate', '--media', id)).engines[0]?.jobs).toBe(2);
    const health = await run('health');
    expect([health.split('\n')[0], /^disk +\d.* free$/m.test(health)]).toEqual(['ok', true]);
    expect(await run('retranscode', '--collection', 'talks')).toBe('talks  flagged');

    expect(await run('rm', id)).toBe(`${id}  deleting`);
    // A publisher may be at work for a quarter of an hour after its job ended.
    booted.cloud.clock.advance(17 * 60_000);
    await sweepUntil(booted.cloud, 'it is gone', async () => (await start('show', id)).exitCode === 4);
  }, 240_000);
});

it('the command continues an upload where Ctrl-C stopped it', async () => {
  await writeFile(join(home, 'large.mp4'), Buffer.alloc(65 * 1024 * 1024, 'x'));
  let parts = 0;
  let release = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  beforePart = async () => {
    parts += 1;
    if (parts > 2) await held;
  };
  const first = start('upload', 'large.mp4', '--concurrency', '2');
  await eventually('two parts are there, and a third is under way', async () => parts >= 4);
  first.kill('SIGINT');
  const { exitCode, stderr } = await first;
  expect([exitCode, stderr.split('\n')]).toEqual([
    130,
    [
      expect.stringContaining('talks to the local cloud'),
      'dropreel: Interrupted. The same command continues from here.',
    ],
  ]);
  release();
  parts = 0;
  beforePart = async () => {
    parts += 1;
  };
  const [id = '', state, name] = (await run('upload', 'large.mp4')).split('  ');
  expect(parts).toBeLessThan(5);
  expect([state, name]).toEqual(['uploaded', 'large.mp4']);
  expect(id).toMatch(/^[a-z2-7]{26}$/);
  const end = await start('watch', id);
  expect([end.exitCode, end.stderr]).toEqual([1, expect.stringContaining('dropreel: ')]);
});

it.skipIf(!HAS_TERMINAL)('Ctrl-C in an upload leaves the terminal with its cursor and a message', async () => {
  await writeFile(join(home, 'held.mp4'), Buffer.alloc(65 * 1024 * 1024, 'y'));
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: home, XDG_STATE_HOME: join(home, 'state') };
  let parts = 0;
  let release = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  beforePart = async () => {
    parts += 1;
    await held;
  };
  const terminal = onTerminal(`node ${BIN} upload held.mp4`, { cwd: home, env });
  await terminal.shows(HIDDEN_CURSOR);
  await eventually('a part is under way', async () => parts > 0);
  terminal.type('\x03');
  await terminal.shows(/dropreel: Interrupted\. The same command continues from here\./);
  expect(await terminal.ended).toBe(130);
  release();
  const shown = terminal.everything();
  expect(shown.lastIndexOf(SHOWN_CURSOR)).toBeGreaterThan(shown.lastIndexOf(HIDDEN_CURSOR));
  expect(shown.split('Interrupted')).toHaveLength(2);
});

it('the command manages webhooks', async () => {
  await using receiver = await startReceiver();
  const made = await json(
    z.object({ id: z.string(), secret: z.string(), state: z.string() }),
    ...['webhooks', 'add', receiver.url, '-e', 'media.ready'],
  );
  expect(made.secret).toMatch(/^whsec_/);
  expect(made.state).toBe('active');
  const [list, log, rotated] = await Promise.all([
    run('webhooks'),
    run('webhooks', 'log', made.id),
    run('webhooks', 'rotate', made.id),
  ]);
  expect(list).toContain(`${made.id}  me       active  media.ready  ${receiver.url}`);
  expect(log).toBe('(none)');
  expect(rotated).toMatch(/state +active\nsecrets +2\nsecret +whsec_/);
  expect(await run('webhooks', 'replay', made.id)).toMatch(/^0 sent again: none has failed\./);
  // Nobody answers there: it gets nothing, not even what failed before.
  const moved = await run('webhooks', 'edit', made.id, '--url', 'http://127.0.0.1:9/');
  expect(moved).toMatch(/state +unverified: its ping got connect ECONNREFUSED/);
  const replayed = await start('webhooks', 'replay', made.id);
  expect([replayed.exitCode, replayed.stderr]).toEqual([5, expect.stringContaining('has not answered a ping')]);
  await run('webhooks', 'edit', made.id, '--url', receiver.url);
  expect(await run('webhooks', 'verify', made.id)).toMatch(/state +active/);
  expect(await run('webhooks', 'rm', made.id)).toBe(`${made.id}  deleted`);
});

it('the command ends with the exit code that it documents', async () => {
  const cases: [number, string[]][] = [
    [0, ['--help']],
    [2, ['nonsense']],
    [2, ['upload']],
    [2, ['upload', 'no-such-file.mp4']],
    [4, ['show', 'a'.repeat(26)]],
    [2, ['show', 'not-an-id']],
    [2, ['rm', 'not-an-id']],
    [2, ['ls', '--from', 'yesterday']],
    [0, ['ls', '--from', '2026-11-28']],
    // A token is asked for before the API is.
    [3, ['ls', '--endpoint', 'http://127.0.0.1:9']],
  ];
  const codes = await Promise.all(cases.map(async ([, args]) => (await start(...args)).exitCode));
  expect(codes).toEqual(cases.map(([code]) => code));
});

it('the command reports that the API cannot be reached', async () => {
  const { exitCode, stderr } = await startWith({ DROPREEL_TOKEN: 'x' }, 'ls', '--endpoint', 'http://127.0.0.1:9');
  expect([exitCode, stderr]).toEqual([6, expect.stringContaining('http://127.0.0.1:9 cannot be reached')]);
});

it('the command writes errors as JSON with --json', async () => {
  const { stdout, stderr } = await start('show', 'a'.repeat(26), '--json');
  expect(stdout).toBe('');
  expect(JSON.parse(stderr)).toMatchObject({ exitCode: 4, problem: { code: 'not_found', status: 404 } });
});

it("the command's package contains all that it needs to run", async () => {
  const empty = await mkdtemp(join(tmpdir(), 'dropreel-packed-'));
  try {
    const { stdout } = await execa('npm', ['pack', resolve('dist/dropreel'), '--json', '--pack-destination', empty]);
    const [packed] = JSON.parse(stdout) as { name: string; filename: string; files: { path: string }[] }[];
    expect([packed?.name, packed?.files.map(({ path }) => path).sort()]).toEqual([
      'dropreel',
      [
        'LICENSE',
        'README.md',
        'THIRD-PARTY-LICENSES',
        'dropreel.mjs',
        'package.json',
        'systemd/dropreel-archive@.service',
      ],
    ]);
    // Offline: it has no dependency that would have to be brought.
    await execa('npm', ['install', '--offline', '--prefix', join(empty, 'here'), join(empty, packed?.filename ?? '')]);
    const folder = join(empty, 'folder');
    await mkdir(folder);
    const { PATH = '' } = process.env;
    const run = (args: string[], env: Record<string, string> = {}) =>
      execa(join(empty, 'here/node_modules/.bin/dropreel'), args, {
        cwd: folder,
        env: { PATH, HOME: folder, ...env },
        extendEnv: false,
        reject: false,
      });
    const { version } = JSON.parse(await readFile('cli/package.json', 'utf8'));
    const token = await tokenOf(booted.cloud, 'packed');
    const [help, versioned, unknown, listed] = await Promise.all([
      run(['--help']),
      run(['--version']),
      run(['ls']),
      run(['ls', '--endpoint', booted.cloud.apiUrl], { DROPREEL_TOKEN: token }),
    ]);
    expect([help.exitCode, help.stdout]).toEqual([0, expect.stringContaining('Usage: dropreel')]);
    expect(versioned.stdout).toBe(version);
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('No API is known')]);
    expect([listed.exitCode, listed.stdout, listed.stderr]).toEqual([0, '(none)', '']);
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
});

it('the command reports each file that was not uploaded', async () => {
  await writeFile(join(home, 'empty.mp4'), '');
  await writeFile(join(home, 'notes.txt'), 'not a film');
  const { exitCode, stderr } = await start('upload', 'no-such-file.mp4', 'empty.mp4', 'notes.txt', '--json');
  expect(exitCode).toBe(2);
  const errors = stderr.split('\n').map((line) => JSON.parse(line).error);
  expect(errors.sort()).toEqual([
    'empty.mp4 is empty.',
    'no-such-file.mp4 is not a file that can be read.',
    expect.stringMatching(/^notes\.txt: Content type not allowed: /),
  ]);
});

it('the command prints what is wrong with its arguments as JSON, too', async () => {
  const [word, choice] = await Promise.all([start('--json', 'uplaod'), start('ls', '--state', 'redy', '--json')]);
  expect(JSON.parse(word.stderr)).toEqual({ error: "unknown command 'uplaod' (Did you mean upload?)", exitCode: 2 });
  expect(JSON.parse(choice.stderr)).toMatchObject({ error: expect.stringContaining("argument 'redy'"), exitCode: 2 });
  expect([word.exitCode, choice.exitCode, word.stdout, choice.stdout]).toEqual([2, 2, '', '']);
});

it('the command says what a retry does not mend', async () => {
  await writeFile(join(home, 'notes.mp4'), 'not a film');
  const { stdout, exitCode } = await start('upload', 'notes.mp4', '--wait');
  expect(exitCode).toBe(1);
  const retried = await start('retry', stdout.split('  ')[0] ?? '');
  expect(retried.exitCode).toBe(0);
  expect(retried.stderr).toContain('It had failed with not_media, which a retry alone does not mend. Check that');
});

it('the command prints a token that the API accepts', async () => {
  const { token, apiUrl } = await json(z.object({ token: z.string(), apiUrl: z.string() }), 'token');
  const response = await fetch(`${apiUrl}/media`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
});

it('the command refuses an edit without a change and an unknown state, without a request to the API', async () => {
  const nowhere = { DROPREEL_TOKEN: 'x', DROPREEL_ENDPOINT: 'http://127.0.0.1:9' };
  const [edit, state] = await Promise.all([
    startWith(nowhere, 'edit', 'a'.repeat(26)),
    startWith(nowhere, 'ls', '--state', 'redy'),
  ]);
  expect([edit.exitCode, edit.stderr]).toEqual([2, 'dropreel: Say what to change.']);
  expect([state.exitCode, state.stderr]).toEqual([2, expect.stringContaining('Allowed choices are uploading')]);
});

it('the file of the command is a program', async () => {
  expect((await readFile(BIN, 'utf8')).startsWith('#!/usr/bin/env node')).toBe(true);
});

it('the command reports what this machine has', async () => {
  const { stdout } = await start('doctor');
  expect(stdout).toMatch(/✓ ffmpeg +\d/);
  expect(stdout).toMatch(/✓ encoders +libx264 aac\n/);
  expect(stdout).toMatch(/✓ disk +\d.* free/);
  expect(stdout).toMatch(/[✓–] Docker /);
  expect(stdout).toMatch(/✓ API +http:\/\/127\.0\.0\.1:\d+ \(local\)/);
  expect(stdout).toMatch(/✓ token +valid/);
});
