import { BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, ListQueuesCommand, PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mediaKeys, tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow, MediaRow } from '../../core/contracts/rows.ts';
import { playlistUris } from '../../core/publish/playlist-uris.ts';
import { DEVELOPER, REGION } from '../../local/account.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { readJobs, readMedia } from '../helpers/pipeline.ts';

const CREATOR = 'ann';

/** What a flow came to: two of one medium are equal, whatever happened on the way. */
export interface Ended {
  state: MediaRow['state'];
  kind: MediaRow['kind'];
  error: string | undefined;
  jobs: JobRow['state'][];
  /** Published objects by key, without the media's id: size, and checksum or text. */
  objects: Record<string, string>;
}

/** Everything of a cloud that the checks look at, read as its developer. */
export class Observer {
  readonly #cloud: Cloud;
  readonly #s3: S3Client;
  readonly #sqs: SQSClient;
  readonly #batch: BatchClient;

  constructor(cloud: Cloud) {
    const config = { endpoint: cloud.endpoint, region: REGION, credentials: DEVELOPER };
    this.#cloud = cloud;
    this.#s3 = developerClients(cloud).s3;
    this.#sqs = new SQSClient(config);
    this.#batch = new BatchClient(config);
  }

  get #bucket(): string {
    return this.#cloud.outputs.MediaBucket ?? '';
  }

  media(mediaId: string): Promise<MediaRow | undefined> {
    return readMedia(this.#cloud, mediaId);
  }

  jobs(mediaId: string): Promise<JobRow[]> {
    return readJobs(this.#cloud, mediaId);
  }

  async end(mediaId: string): Promise<Ended> {
    const [media, jobs, objects] = await Promise.all([
      this.media(mediaId),
      this.jobs(mediaId),
      this.#published(mediaId),
    ]);
    return {
      state: media?.state ?? 'uploading',
      kind: media?.kind,
      error: media?.error?.code,
      jobs: jobs.map(({ state }) => state),
      objects,
    };
  }

  async #published(mediaId: string): Promise<Record<string, string>> {
    const objects: Record<string, string> = {};
    for (const prefix of mediaKeys(CREATOR, mediaId).prefixes) {
      for (const { key, size } of await this.#list(prefix)) {
        const object = { Bucket: this.#bucket, Key: key };
        const { ChecksumCRC64NVME } = await this.#s3.send(
          new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }),
        );
        objects[key.replaceAll(mediaId, '{media}')] = `${size} bytes ${ChecksumCRC64NVME ?? ''}`;
      }
    }
    return objects;
  }

  /** What viewers would miss: URIs of reachable playlists that name nothing. Empty when nothing is published, too. */
  async missing(mediaId: string): Promise<string[]> {
    const keys = mediaKeys(CREATOR, mediaId);
    const missing: string[] = [];
    const there = new Map<string, number>();
    for (const prefix of keys.prefixes) for (const { key, size } of await this.#list(prefix)) there.set(key, size);
    const visit = async (key: string): Promise<void> => {
      const playlist = await this.#text(key);
      for (const uri of playlistUris(playlist)) {
        const target = `${key.slice(0, key.lastIndexOf('/') + 1)}${uri}`;
        if (!there.get(target)) missing.push(`${key} names ${target}`);
        else if (target.endsWith('.m3u8')) await visit(target);
      }
    };
    for (const pointer of [keys.master, keys.preview]) if (there.has(pointer)) await visit(pointer);
    return missing;
  }

  /** Keys that the jobs of a media have left under tmp/. */
  async leftovers(mediaId: string): Promise<string[]> {
    return (await this.#list(tmpPrefix(mediaId).slice(0, -1))).map(({ key }) => key);
  }

  /** How many engine jobs for this job did its work and ended well: those that found it taken left at once. */
  async completions(jobId: string): Promise<number> {
    return (await this.#engineJobs(jobId)).filter(({ status }) => status === 'SUCCEEDED').length;
  }

  /** How each attempt of the engine jobs for this job ended. */
  async attempts(jobId: string): Promise<{ statusReason?: string; exitCode?: number; reason?: string }[]> {
    return (await this.#engineJobs(jobId)).flatMap(({ attempts = [] }) =>
      attempts.map(({ statusReason, container: { exitCode, reason } = {} }) => ({
        ...(statusReason === undefined ? {} : { statusReason }),
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(reason === undefined ? {} : { reason }),
      })),
    );
  }

  async #engineJobs(jobId: string): Promise<JobDetail[]> {
    const found: JobDetail[] = [];
    for (const queue of [this.#cloud.outputs.JobQueue, this.#cloud.outputs.RetranscodeJobQueue]) {
      const filters = [{ name: 'JOB_NAME', values: [jobId] }];
      const { jobSummaryList = [] } = await this.#batch.send(new ListJobsCommand({ jobQueue: queue, filters }));
      const ids = jobSummaryList.flatMap(({ jobId: id }) => id ?? []);
      if (ids.length === 0) continue;
      const { jobs = [] } = await this.#batch.send(new DescribeJobsCommand({ jobs: ids }));
      found.push(...jobs);
    }
    return found;
  }

  /** Queues with messages that nobody has done with yet. */
  async waiting(): Promise<string[]> {
    return (await this.#queues()).filter(({ dead, count }) => !dead && count > 0).map(({ queue }) => queue);
  }

  /** The dead-letter queues that are not empty; they are afterwards. */
  async takeDeadLetters(): Promise<{ queue: string; count: number }[]> {
    const found = (await this.#queues()).filter(({ dead, count }) => dead && count > 0);
    for (const { url } of found) await this.#sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    return found;
  }

  async #queues(): Promise<{ queue: string; url: string; dead: boolean; count: number }[]> {
    const { QueueUrls = [] } = await this.#sqs.send(new ListQueuesCommand({}));
    return Promise.all(
      QueueUrls.map(async (url) => {
        const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
        const { Attributes: all = {} } = await this.#sqs.send(command);
        const queue = url.split('/').at(-1) ?? '';
        const count =
          Number(all.ApproximateNumberOfMessages) +
          Number(all.ApproximateNumberOfMessagesNotVisible) +
          Number(all.ApproximateNumberOfMessagesDelayed);
        return { queue, url, count, dead: /deadletters|undelivered|missed/.test(queue) };
      }),
    );
  }

  async #list(prefix: string): Promise<{ key: string; size: number }[]> {
    const { Contents = [] } = await this.#s3.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix }));
    return Contents.map(({ Key = '', Size = 0 }) => ({ key: Key, size: Size }));
  }

  async #text(key: string): Promise<string> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
    return (await Body?.transformToString()) ?? '';
  }
}
