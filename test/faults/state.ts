import { BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from '@aws-sdk/client-batch';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { PurgeQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { CLAIM_FILE, mediaKeys, PREPARE_CLAIM_FILE, RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { playlistUris } from '../../core/publish/playlist-uris.ts';
import type { Cloud } from '../../local/boot.ts';
import { REGION } from '../../local/kernel/account.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { readJobs, readMedia } from '../support/pipeline.ts';
import { type QueueState, queuesOf, sqsOf } from '../support/queues.ts';

const CREATOR = 'ann';
const STAYS = [CLAIM_FILE, PREPARE_CLAIM_FILE, RESULT_FILE];

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
    const config = { endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials };
    this.#cloud = cloud;
    this.#s3 = developerClients(cloud).s3;
    this.#sqs = sqsOf(cloud);
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

  /** Keys that the jobs of a media have left under tmp/, without what stays there to tell a late engine job that all is done. */
  async leftovers(mediaId: string): Promise<string[]> {
    const keys = (await this.#list(tmpPrefix(mediaId).slice(0, -1))).map(({ key }) => key);
    return keys.filter((key) => !STAYS.some((name) => key.endsWith(`/${name}`)));
  }

  /** How many engine jobs there were for this job. */
  async engineJobs(jobId: string): Promise<number> {
    return (await this.#engineJobs(jobId)).length;
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
    for (const queue of [
      this.#cloud.outputs.JobQueue,
      this.#cloud.outputs.RetranscodeJobQueue,
      this.#cloud.outputs.OnDemandJobQueue,
    ]) {
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
    return (await queuesOf(this.#sqs)).filter(({ dead, all }) => !dead && all > 0).map(({ name }) => name);
  }

  /** The dead-letter queues that are not empty; they are afterwards. */
  async takeDeadLetters(): Promise<QueueState[]> {
    const found = (await queuesOf(this.#sqs)).filter(({ dead, all }) => dead && all > 0);
    for (const { url } of found) await this.#sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    return found;
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
