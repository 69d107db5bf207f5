import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MediaView } from '../../core/contracts/api.ts';
import { eventually, testCloud } from '../helpers/cloud.ts';
import { BIN, dropreel, homeFor } from '../helpers/command.ts';
import { probe, testVideo } from '../helpers/pipeline.ts';

let home: string;
let made: Awaited<ReturnType<typeof homeFor>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
/** Sees each UploadPart before it is served. */
let beforePart: () => Promise<void> = async () => {};

beforeAll(async () => {
  booted = await testCloud({
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

describe('the life of a video, by the command only', () => {
  it('goes from a file to a stream, to a new version, back, to a download, and away', async () => {
    await testVideo(join(home, 'my clip.mp4'), { seconds: 2 });
    await run('collections', 'create', 'talks', '--preset', 'compact');
    const media = await json(MediaView, 'upload', 'my clip.mp4', '-c', 'talks', '--wait');
    const { id } = media;
    expect(media).toMatchObject({ state: 'ready', title: 'my clip', collectionId: 'talks', creatorId: 'me' });

    const [listed, shown, url] = await Promise.all([
      run('ls', '--collection', 'talks', '--state', 'ready'),
      run('show', id, '--jobs'),
      run('open', id, '--print'),
    ]);
    expect(listed).toContain(`${id}  ready  0:02`);
    expect(shown).toMatch(/state +ready/);
    expect(shown).toContain(`${id}-1  ingest   published`);
    expect((await fetch(url)).status).toBe(200);

    await run('retranscode', id);
    booted.cloud.clock.advance(5 * 60_000);
    await eventually('a second version', async () => (await json(MediaView, 'show', id)).version?.n === 2, 90_000);
    expect((await json(MediaView, 'watch', id)).state).toBe('ready');
    await run('rollback', id);
    await eventually('the first version again', async () => (await json(MediaView, 'show', id)).version?.n === 1);

    await run('edit', id, '--title', 'Renamed');
    expect(await run('download', id, '-o', 'saved.mp4')).toMatch(/^saved\.mp4 /);
    expect((await probe(join(home, 'saved.mp4'))).streams.map((stream) => stream.codec_type).sort()).toEqual([
      'audio',
      'video',
    ]);

    const Counted = z.object({ media: z.object({ ready: z.number() }) });
    await eventually('stats count it', async () => (await json(Counted, 'stats')).media.ready === 1);
    expect(await run('health')).toMatch(/^ok/);
    expect(await run('retranscode', '--collection', 'talks')).toBe('talks  flagged');

    expect(await run('rm', id)).toBe(`${id}  deleting`);
    booted.cloud.clock.advance(5 * 60_000);
    await eventually('it is gone', async () => (await start('show', id)).exitCode === 4, 60_000);
  }, 240_000);
});

it('goes on with an upload where Ctrl-C stopped it', async () => {
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
  expect([exitCode, stderr]).toEqual([130, 'dropreel: Interrupted. The same command goes on from here.']);
  release();
  parts = 0;
  beforePart = async () => {
    parts += 1;
  };
  const id = (await json(MediaView, 'upload', 'large.mp4')).id;
  expect(parts).toBeLessThan(5);
  expect(id).toMatch(/^[a-z2-7]{26}$/);
  const end = await start('watch', id);
  expect([end.exitCode, end.stderr]).toEqual([1, expect.stringContaining('dropreel: ')]);
});

it('manages webhooks', async () => {
  const made = await json(
    z.object({ id: z.string(), secret: z.string() }),
    ...['webhooks', 'add', 'https://example.com/hook', '-e', 'media.ready'],
  );
  expect(made.secret).toMatch(/^whsec_/);
  const [list, log, rotated] = await Promise.all([
    run('webhooks'),
    run('webhooks', 'log', made.id),
    run('webhooks', 'rotate', made.id),
  ]);
  expect(list).toContain(`${made.id}  yes      media.ready  https://example.com/hook`);
  expect(log).toBe('(none)');
  expect(rotated).toMatch(/secrets +2\nsecret +whsec_/);
  expect(await run('webhooks', 'replay', made.id)).toBe('0 sent again');
  expect(await run('webhooks', 'rm', made.id)).toBe(`${made.id}  deleted`);
});

it('ends with the exit code that it documents', async () => {
  const cases: [number, string[]][] = [
    [0, ['--help']],
    [2, ['nonsense']],
    [2, ['upload']],
    [2, ['upload', 'no-such-file.mp4']],
    [4, ['show', 'a'.repeat(26)]],
    [5, ['show', 'not-an-id']],
    // A token is asked for before the API is.
    [3, ['ls', '--endpoint', 'http://127.0.0.1:9']],
  ];
  const codes = await Promise.all(cases.map(async ([, args]) => (await start(...args)).exitCode));
  expect(codes).toEqual(cases.map(([code]) => code));
});

it('tells when the API cannot be reached', async () => {
  const { exitCode, stderr } = await startWith({ DROPREEL_TOKEN: 'x' }, 'ls', '--endpoint', 'http://127.0.0.1:9');
  expect([exitCode, stderr]).toEqual([6, expect.stringContaining('http://127.0.0.1:9 cannot be reached')]);
});

it('writes errors as JSON when asked to', async () => {
  const { stdout, stderr } = await start('show', 'a'.repeat(26), '--json');
  expect(stdout).toBe('');
  expect(JSON.parse(stderr)).toMatchObject({ exitCode: 4, problem: { code: 'not_found', status: 404 } });
});

it('prints completions that the shells accept', async () => {
  const bash = await run('completion', 'bash');
  const words = await execa('bash', [
    '-c',
    `${bash}\nCOMP_WORDS=(dropreel coll); COMP_CWORD=1; _dropreel; echo "\${COMPREPLY[@]}"`,
  ]);
  expect(words.stdout).toBe('collections');
  const nested = await execa('bash', [
    '-c',
    `${bash}\nCOMP_WORDS=(dropreel collections cr); COMP_CWORD=2; _dropreel; echo "\${COMPREPLY[@]}"`,
  ]);
  expect(nested.stdout).toBe('create');
  expect(await run('completion', 'zsh')).toContain('bashcompinit');
  expect(await run('completion', 'fish')).toContain("complete -c dropreel -f -n '__fish_use_subcommand' -a upload");
  expect((await readFile(BIN, 'utf8')).startsWith('#!/usr/bin/env node')).toBe(true);
});

it('says what this machine has', async () => {
  const { stdout } = await start('doctor');
  expect(stdout).toMatch(/✓ ffmpeg +\d/);
  expect(stdout).toMatch(/✓ API +http:\/\/127\.0\.0\.1:\d+ \(local\)/);
  expect(stdout).toMatch(/✓ token +valid/);
});
