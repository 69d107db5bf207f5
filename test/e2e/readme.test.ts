import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developerClients } from '../../scripts/demo/clients.ts';
import { welcome } from '../../scripts/dev/welcome.ts';
import { apiAs, claimsOf } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { BIN, homeFor } from '../support/command.ts';
import { testVideo } from '../support/pipeline.ts';
import { lacks } from '../support/terminal.ts';

let home: string;
let made: Awaited<ReturnType<typeof homeFor>>;
let booted: Awaited<ReturnType<typeof testCloud>>;

beforeAll(async () => {
  booted = await testCloud();
  made = await homeFor(booted.cloud);
  home = made.home;
  // As in a clone, with the command that is built.
  await writeFile(join(home, 'package.json'), JSON.stringify({ scripts: { dropreel: `node ${BIN}` } }));
  await testVideo(join(home, 'clip.mp4'), { seconds: 2 });
  // macOS's wc begins with blanks.
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin/wc'), `#!/bin/sh\nprintf '%8d\\n' "$(/usr/bin/wc "$@")"\n`);
  await chmod(join(home, 'bin/wc'), 0o755);
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await made[Symbol.asyncDispose]();
});

/** The one block of shell commands of a document that contains `text`. */
async function blockWith(file: string, text: string): Promise<string> {
  const blocks = [...(await readFile(file, 'utf8')).matchAll(/```sh\n([^`]+)```/g)].map(([, block = '']) => block);
  const found = blocks.filter((block) => block.includes(text));
  expect(found, `blocks of ${file} with ${text}`).toHaveLength(1);
  return found[0] ?? '';
}

/** What a shell prints in which these lines were pasted. Nothing is configured in it. */
async function paste(lines: string): Promise<string> {
  const env = { PATH: `${join(home, 'bin')}:${process.env.PATH}`, HOME: home, NO_UPDATE_NOTIFIER: '1' };
  const { stdout } = await execa('bash', ['--norc', '-euo', 'pipefail', '-c', lines], {
    cwd: home,
    env,
    extendEnv: false,
    stdin: 'ignore',
  });
  return stdout;
}

const exports = () => {
  const [, block = ''] = welcome(booted.cloud, { watch: 'dropreel-drop', state: '.dropreel/dev', link: null }).split(
    /\n\n/,
  );
  return block;
};

describe.skipIf(lacks('curl') || lacks('jq'))('the lines of the documents, pasted into a shell', () => {
  it.each([
    ['README.md', ''],
    [
      'docs/api.md',
      `API=$(npm run -s dropreel -- token --json | jq -r .apiUrl) TOKEN=$(npm run -s dropreel -- token)\n`,
    ],
  ])('upload a clip with curl: %s', async (file, before) => {
    const printed = await paste(`${before}${await blockWith(file, '/uploads')}echo $id`);
    const id = printed.split('\n').at(-1) ?? '';
    const api = await apiAs(booted.cloud, 'me');
    expect(printed).toContain('"playback": null');
    await eventually('it has a job', async () => (await api('GET', `/media/${id}`)).body.job !== undefined);
    expect((await api('GET', `/media/${id}`)).body.title).toBe('clip');
  });

  it('get a development token for a creator: docs/api.md', async () => {
    const token = await paste(`${exports().replace(/\naws .+/, '')}\n${await blockWith('docs/api.md', '/dev/token')}`);
    expect(claimsOf(token)).toMatchObject({ username: 'ada', scope: 'dropreel/creator' });
  });
});

describe('the lines that `npm run dev` prints, pasted into a shell', () => {
  const BUCKET = /s3:\/\/([^/]+)\/(.+)/;
  const isThere = (key: string) =>
    developerClients(booted.cloud).s3.send(
      new HeadObjectCommand({ Bucket: booted.cloud.outputs.UploadsBucket, Key: key }),
    );

  it('configure an AWS SDK, and name a bucket and a prefix to put a file in', async () => {
    const [, bucket, prefix] = BUCKET.exec(exports()) ?? [];
    const sdk = JSON.stringify(import.meta.resolve('@aws-sdk/client-s3'));
    const put = `import { S3Client, PutObjectCommand } from ${sdk};
      await new S3Client({}).send(new PutObjectCommand({ Bucket: '${bucket}', Key: '${prefix}by-sdk.mp4', Body: 'x' }));`;
    await writeFile(join(home, 'put.mjs'), put);
    await paste(exports().replace(/aws s3 cp .+/, 'node put.mjs'));
    expect((await isThere('drop/me/default/by-sdk.mp4')).ContentLength).toBe(1);
  });

  it.skipIf(lacks('aws'))('upload a file with the AWS CLI', async () => {
    await paste(exports().replace('cp FILE', 'cp clip.mp4'));
    expect((await isThere('drop/me/default/clip.mp4')).ContentLength).toBeGreaterThan(1000);
  });
});
