import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { App } from 'aws-cdk-lib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { MediaView } from '../../core/contracts/http/media.ts';
import { readConfiguration } from '../../lib/configuration.ts';
import { DropreelStack } from '../../lib/dropreel-stack.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { apiAs } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { decode, drop, reached, testVideo } from '../support/pipeline.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-data-'));
  file = await testVideo(join(folder, 'clip.mp4'), { seconds: 1, size: '320x180' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A deployment that names what it is to take over, in the place of the one before. */
async function deployed(name: string, names: Record<string, string>) {
  const assembly = join(folder, name);
  const app = new App({ context: cdkJson.context, outdir: assembly, analyticsReporting: false });
  const configuration = readConfiguration({ ...cdkJson.context.dropreel, ...names });
  new DropreelStack(app, 'Dropreel', { configuration, dist: resolve('dist') });
  app.synth();
  return testCloud({ assembly, stateDir: join(folder, 'state') });
}

async function playsStill(cloud: Cloud, mediaId: string): Promise<number | undefined> {
  const api = await apiAs(cloud, 'ann');
  const { state, playback, version } = MediaView.parse((await api('GET', `/media/${mediaId}`)).body);
  expect(state).toBe('ready');
  await decode(playback?.hls ?? '');
  return version?.n;
}

it('a stack takes over buckets and a table that an earlier one has left, and a table restored from a backup', async () => {
  let mediaId: string;
  let names: Record<string, string>;
  {
    const { cloud } = await testCloud({ stateDir: join(folder, 'state') });
    mediaId = await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, mediaId, 'ready');
    const { UploadsBucket = '', MediaBucket = '', Table = '' } = cloud.outputs;
    names = { uploadsBucketName: UploadsBucket, mediaBucketName: MediaBucket, tableName: Table };
    await cloud.close();
  }
  let rows: Record<string, unknown>[];
  {
    const { cloud } = await deployed('taken-over', names);
    expect([cloud.outputs.UploadsBucket, cloud.outputs.Table]).toEqual([names.uploadsBucketName, names.tableName]);
    expect(await playsStill(cloud, mediaId)).toBe(1);
    await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, mediaId, 'ready', { jobs: 2 });
    expect(await playsStill(cloud, mediaId)).toBe(2);
    const { Items = [] } = await developerClients(cloud).table.send(new ScanCommand({ TableName: names.tableName }));
    rows = Items;
    await cloud.close();
  }
  {
    const { cloud } = await deployed('restored', { ...names, tableName: 'dropreel-restored' });
    // What a restore to a point in time makes: the rows, in a table of another name.
    for (const Item of rows) {
      await developerClients(cloud).table.send(new PutCommand({ TableName: 'dropreel-restored', Item }));
    }
    expect(await playsStill(cloud, mediaId)).toBe(2);
    await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, mediaId, 'ready', { jobs: 3 });
    expect(await playsStill(cloud, mediaId)).toBe(3);
    await cloud.close();
  }
}, 300_000);
