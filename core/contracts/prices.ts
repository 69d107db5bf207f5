import type { ArchiveClass, RestoreTier } from './archive.ts';

/** With one GPU that encodes, 4 vCPUs, 16 GiB of memory and an NVMe disk each. */
export const GPU_INSTANCES = ['g4dn.xlarge', 'g5.xlarge', 'g6.xlarge'] as const;
type GpuInstance = (typeof GPU_INSTANCES)[number];

/**
 * What a unit costs, in USD at list prices: first tier, no free tier, no discounts, no taxes. The engines' estimates and costs use it, and
 * the bill of the local cloud, which is given it.
 */
export interface Prices {
  /** Linux on x86, on demand, by the hour; the disk beyond the included 20 GB. Spot costs this part of vCPU and memory. */
  fargate: { vcpuHour: number; gbHour: number; diskGbHour: number; spot: number };
  /** An hour of each type of EC2 instance on which GPU workers run, on demand, Linux; Spot costs this part of it. */
  gpu: { hours: Readonly<Record<GpuInstance, number>>; spot: number };
  /** A minute of output of the Basic tier (H.264, one pass). Captures and captions are on no page, and are not priced. */
  mediaConvert: { sdMinute: number; hdMinute: number; uhdMinute: number; soundMinute: number };
  /** On arm64. */
  lambda: { request: number; gbSecond: number };
  /** PUT, COPY, POST and LIST are writes; DELETE is free. */
  s3: { write: number; read: number };
  storage: StoragePrices;
  /** On demand: a write of up to 1 KB, a strongly consistent read of up to 4 KB. */
  dynamoDb: { writeUnit: number; readUnit: number };
  sqs: { request: number };
  eventBridge: { event: number };
  scheduler: { invocation: number };
  httpApi: { request: number };
  /** A public IPv4 address in use. */
  address: { hour: number };
}

/** What it costs to keep objects in S3, to move them to a class below Standard, and to bring them back. A GB is 2^30 bytes. */
export interface StoragePrices {
  standardGbMonth: number;
  classes: Readonly<
    Record<
      ArchiveClass,
      {
        gbMonth: number;
        /** Of one object, by a lifecycle rule. */
        transition: number;
        /** Deleted earlier, an object is billed for these days. */
        leastDays: number;
        /** How it is read: a request of one object, and each GB. GLACIER_IR is read at once. */
        retrieval: Readonly<Partial<Record<RestoreTier, { request: number; gb: number }>>> | { gb: number };
      }
    >
  >;
}

/**
 * us-east-1. Of storage: AWS's price list, of October 2025, as a public repository has copied it. The other two classes, transitions and retrievals
 * are of pages that name AWS's page as their source: https://repost.aws/knowledge-center/s3-manage-data-retrieval,
 * https://www.usage.ai/blogs/aws/storage-cost/glacier-deep-archive-pricing/ (June 2026), copies of the price list of July 2026. That a bulk
 * restore from DEEP_ARCHIVE costs 0.025 USD for 1,000 is on none that was seen.
 */
const STORAGE: StoragePrices = {
  standardGbMonth: 0.023,
  classes: {
    GLACIER_IR: { gbMonth: 0.004, transition: 0.02 / 1000, leastDays: 90, retrieval: { gb: 0.03 } },
    GLACIER: {
      ...{ gbMonth: 0.0036, transition: 0.03 / 1000, leastDays: 90 },
      retrieval: {
        Expedited: { request: 10 / 1000, gb: 0.03 },
        Standard: { request: 0.05 / 1000, gb: 0.01 },
        Bulk: { request: 0, gb: 0 },
      },
    },
    DEEP_ARCHIVE: {
      ...{ gbMonth: 0.00099, transition: 0.05 / 1000, leastDays: 180 },
      retrieval: { Standard: { request: 0.1 / 1000, gb: 0.02 }, Bulk: { request: 0.025 / 1000, gb: 0.0025 } },
    },
  },
};

/**
 * By the pages under https://aws.amazon.com/{fargate,mediaconvert,lambda,s3,dynamodb,sqs,eventbridge,api-gateway,vpc}/pricing/, as of November
 * 2026, MediaConvert's as of August 2026. Fargate Spot's price varies: 70 % off is what AWS announces.
 */
const US_EAST_1: Prices = {
  fargate: { vcpuHour: 0.04048, gbHour: 0.004445, diskGbHour: 0.000111, spot: 0.3 },
  // AWS's price list as the repository aws/karpenter-provider-aws has it, generated in January 2026. That Spot costs as much less as Fargate's is
  // a guess.
  gpu: { hours: { 'g4dn.xlarge': 0.526, 'g5.xlarge': 1.006, 'g6.xlarge': 0.8048 }, spot: 0.3 },
  mediaConvert: { sdMinute: 0.0075, hdMinute: 0.015, uhdMinute: 0.03, soundMinute: 0.005 },
  lambda: { request: 0.2 / 1e6, gbSecond: 0.0000133334 },
  s3: { write: 0.005 / 1000, read: 0.0004 / 1000 },
  storage: STORAGE,
  dynamoDb: { writeUnit: 0.625 / 1e6, readUnit: 0.125 / 1e6 },
  sqs: { request: 0.4 / 1e6 },
  eventBridge: { event: 1 / 1e6 },
  scheduler: { invocation: 1 / 1e6 },
  httpApi: { request: 1 / 1e6 },
  address: { hour: 0.005 },
};

/**
 * By region. Both European ones are of AWS's price lists as public repositories have copied them; the lists themselves were not seen:
 * - eu-west-1: https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/{AmazonECS,AmazonDynamoDB,AmazonApiGateway,AmazonS3,AWSLambda}/…/eu-west-1/index.json,
 *   published in September and October 2026. Fargate, S3, Lambda's requests and addresses cost the same there as in us-east-1.
 * - eu-central-1: …/AmazonECS/current/eu-central-1/index.json, August 2026: vCPU and memory.
 *
 * What is not written out for a region was in none of these, and has us-east-1's price: storage below Standard, GPU instances, MediaConvert,
 * SQS, EventBridge, Scheduler, Lambda's time on arm64 and Fargate's disk in both, and all but Fargate in eu-central-1.
 */
const BY_REGION: Readonly<Record<string, Prices>> = {
  'us-east-1': US_EAST_1,
  'eu-west-1': {
    ...US_EAST_1,
    dynamoDb: { writeUnit: 0.705 / 1e6, readUnit: 0.1415 / 1e6 },
    httpApi: { request: 1.11 / 1e6 },
  },
  'eu-central-1': { ...US_EAST_1, fargate: { ...US_EAST_1.fargate, vcpuHour: 0.04656, gbHour: 0.00511 } },
};

/** The prices of a region, and the region that they are of: us-east-1 where there are none of the region here. */
export function pricesIn(region: string): { region: string; prices: Prices } {
  const prices = BY_REGION[region];
  return prices ? { region, prices } : { region: 'us-east-1', prices: US_EAST_1 };
}

/**
 * A second of a flexible worker with a GPU of 24 GB (L4, A5000, 3090) at RunPod, the same everywhere, August 2026:
 * https://docs.runpod.io/serverless/pricing. Another GPU, or another provider, has another price.
 */
export const RUNPOD_WORKER_SECOND = 0.00019;
