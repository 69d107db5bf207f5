/**
 * AWS's list prices in us-east-1, in USD, of November 2026 as far as public pages told: the services' pricing pages
 * (https://aws.amazon.com/{s3,lambda,dynamodb,sqs,eventbridge,fargate,api-gateway,vpc}/pricing/). First tier, no free tier, no
 * discounts, no taxes. They change: look before you quote them.
 */
export const PRICES = {
  s3: {
    /** PUT, COPY, POST and LIST requests. */
    perWriteRequest: 0.005 / 1000,
    /** GET, HEAD and all others; DELETE and aborts are free. */
    perReadRequest: 0.0004 / 1000,
    /** S3 Standard, the first 50 TB. */
    perGbMonth: 0.023,
  },
  lambda: {
    /** arm64. */
    perGbSecond: 0.0000133334,
    perRequest: 0.2 / 1e6,
  },
  dynamodb: {
    /** On demand, since November 2024: a write of up to 1 KB, a strongly consistent read of up to 4 KB. */
    perWriteUnit: 0.625 / 1e6,
    perReadUnit: 0.125 / 1e6,
  },
  /** Standard queues, for each 64 KB of a request. */
  sqs: { perRequest: 0.4 / 1e6 },
  /** Custom events, for each 64 KB; events of AWS services, and rules, are free. */
  events: { perEvent: 1 / 1e6 },
  scheduler: { perInvocation: 1 / 1e6 },
  /** HTTP APIs, for each 512 KB of a call. */
  httpApi: { perRequest: 1 / 1e6 },
  fargate: {
    /** Linux, x86. Fargate Spot's price moves; 70 % off is what AWS announces, and what is taken here: an estimate. */
    FARGATE: { perVcpuHour: 0.04048, perGbHour: 0.004445 },
    FARGATE_SPOT: { perVcpuHour: 0.04048 * 0.3, perGbHour: 0.004445 * 0.3 },
    /** Beyond the 20 GB that are included; Spot does not make it cheaper. */
    perEphemeralGbHour: 0.000111,
    /** A task with a public address. */
    perIpv4Hour: 0.005,
  },
} as const;
