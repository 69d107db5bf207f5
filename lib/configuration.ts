import { z } from 'zod';
import { SCOPES } from '../core/contracts/http/system.ts';

const GIB = 1024 ** 3;
const MIB_PER_GIB = 1024;
/** Least ephemeral storage that Fargate accepts. https://docs.aws.amazon.com/batch/latest/APIReference/API_EphemeralStorage.html */
const LEAST_SCRATCH_GIB = 21;
/** What the image's layers and the system use of a task's disk. */
const SYSTEM_GIB = 2;

/** Memory in GiB that Fargate gives to a number of vCPUs: least, most, step. https://docs.aws.amazon.com/batch/latest/userguide/fargate.html */
const FARGATE_MEMORY: Readonly<Record<number, readonly [number, number, number]>> = {
  1: [2, 8, 1],
  2: [4, 16, 1],
  4: [8, 30, 1],
  8: [16, 60, 4],
  16: [32, 120, 8],
};

/**
 * The values that CloudWatch Logs accepts.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
 */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Limit of an authorizer. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MOST_AUDIENCES = 50;

/** Pairs of keys: both are given, or neither. */
const TOGETHER = [
  ['jwtIssuer', 'jwtAudience'],
  ['playbackPublicKeyPem', 'playbackPrivateKeySecret'],
  ['deliveryDomain', 'deliveryCertificateArn'],
  ['apiDomain', 'apiCertificateArn'],
] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket');

const Count = z.number().int().positive();

/** The permitted values of a mapping's MaximumConcurrency. The minimum for each queue fits into a fresh account's 10 executions. */
const AtOnce = z.number().int().min(2).max(1000).default(2);

const NoSpace = z.string().regex(/^\S+$/, 'must be without spaces');
const ClaimNames = z.union([NoSpace, z.array(NoSpace).min(1)]).transform((given) => [given].flat());

const Domain = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be a domain name in lower case');

const SecretName = z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, 'must be the name of a secret');

const PublicKeyPem = z
  .string()
  .regex(
    /^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+\n-----END PUBLIC KEY-----\n?$/,
    'must be a public key in PEM form',
  );

/** `dropreel` in the context of cdk.json. docs/deploy.md describes each key. */
export const Configuration = z
  .strictObject({
    /**
     * Name of this deployment: the stack, and every resource whose name is unique in an account or region, are named by it. It begins
     * Cognito's domain prefix, so those rules apply.
     * https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
     */
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,29}[a-z0-9]$/, 'must be 2 to 31 lower-case letters, digits and hyphens')
      .refine((name) => !/aws|amazon|cognito/.test(name), 'must not hold aws, amazon or cognito')
      .default('dropreel'),
    /** Bytes; S3 holds objects of at most 5 TiB, a worker's scratch disk less. */
    maxUploadBytes: Count.max(100 * GIB).default(50 * GIB),
    /** Bytes; the limit of uploads announced to the API, where it is to be less than that of drops into the bucket. */
    maxApiUploadBytes: Count.optional(),
    allowedContentTypes: z
      .array(z.string().regex(/^(video|audio)\/(\*|[a-z0-9.+-]+)$/, 'must be a type like video/mp4 or video/*'))
      .min(1)
      .default(['video/*', 'audio/*']),
    /** Zones of the region for workers, as `us-west-1a`. Default: the first two. Fargate is not in every zone of each region. */
    availabilityZones: z
      .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$/, 'must be a zone like us-east-1a'))
      .min(1)
      .max(6)
      .optional(),
    /** vCPUs of all workers together, Spot and on-demand. */
    maxVcpus: Count.max(4000).default(64),
    jobVcpus: z.literal([1, 2, 4, 8, 16]).default(4),
    workerMemoryMiB: Count.default(8192),
    /** Ephemeral storage of a worker: Fargate gives 21 to 200 GiB. */
    scratchGiB: z.number().int().min(LEAST_SCRATCH_GIB).max(200).default(120),
    jobTimeoutHours: z.number().positive().max(336).default(12),
    /** Caches and players hold the playlists of the version before, so the minimum is an hour. */
    graceHours: z.number().min(1).default(24),
    /** AWS Batch on EC2 instances with a GPU: docs/engines.md. `maxVcpus` is that of all its workers, each of which has 4. */
    gpuEngine: z.strictObject({ maxVcpus: Count.multipleOf(4).min(8).max(4000) }).optional(),
    /** A RunPod-compatible endpoint with the worker's image: docs/engines.md. */
    httpEngine: z
      .strictObject({
        /** `https://api.runpod.ai/v2/ID` */
        url: z.url({ protocol: /^https$/ }),
        /** Name of a secret in Secrets Manager whose text is the endpoint's API key. */
        secret: SecretName,
      })
      .optional(),
    /** Whether jobs may be encoded by AWS Elemental MediaConvert: docs/engines.md. */
    mediaConvert: z.boolean().default(false),
    maxRetranscodes: Count.default(8),
    maxAttempts: Count.default(2),
    /** Per creator and day, midnight to midnight UTC: uploads, and minutes of media to encode. */
    maxUploadsPerDay: Count.default(10_000),
    maxMinutesPerDay: Count.default(100_000),
    /** USD that the encodes of one creator may cost in a month (UTC); a collection may have a cap of its own. Default: no cap. */
    maxUsdPerMonth: z.number().positive().optional(),
    /** How many of one creator's webhook deliveries are attempted at the same time. */
    maxDeliveriesAtOnce: Count.default(10),
    /** Simultaneous executions for the messages of each queue. */
    concurrency: z.strictObject({ ingest: AtOnce, track: AtOnce, publish: AtOnce, deliveries: AtOnce }).prefault({}),
    /**
     * Names of the resources that hold the data. To adopt those that another stack has left, `cdk import` them under these:
     * docs/operating.md, "Data outlives the stack".
     */
    uploadsBucketName: BucketName.optional(),
    mediaBucketName: BucketName.optional(),
    tableName: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{3,255}$/, 'must be the name of a table')
      .optional(),
    logRetentionDays: z.literal(RETENTION_DAYS).default(30),
    alarmEmail: z.email().optional(),
    /** USD a month for the whole account: the alarms' topic is notified when 80 % are spent, or when the forecast exceeds the budget. */
    monthlyBudgetUsd: z.number().positive().optional(),
    /** A trusted OIDC issuer instead of the stack's own Cognito user pool. */
    jwtIssuer: z.url({ protocol: /^https$/ }).optional(),
    jwtAudience: z.array(z.string().min(1)).min(1).max(MOST_AUDIENCES).optional(),
    /** The console's client at that issuer: public, with PKCE and the redirect `{DeliveryUrl}/console/`. */
    consoleClient: z.strictObject({ id: NoSpace, scope: z.string().min(1).default('openid') }).optional(),
    /** Claims with scopes, roles or groups. */
    jwtScopeClaim: ClaimNames.default(['scope']),
    /** Claims that may name the creator, of which the first present one counts; by default `sub` for tokens of `jwtIssuer`. */
    jwtCreatorClaim: ClaimNames.optional(),
    /** Values that stand for dropreel's two scopes. */
    jwtCreatorScopes: z.array(NoSpace).min(1).default([SCOPES.creator]),
    jwtOperatorScopes: z.array(NoSpace).min(1).default([SCOPES.operator]),
    /** The machine clients of the stack's own user pool, by name, and the scope of each; an operator's has both. */
    machineClients: z
      .record(
        z.string().regex(/^[a-z][a-z0-9]{0,30}$/, 'must be a name in lower case'),
        z.enum(['creator', 'operator']),
      )
      .refine((clients) => !Object.hasOwn(clients, 'people'), 'people is the client of `dropreel login`')
      .refine(
        (clients) => Object.keys(clients).length < MOST_AUDIENCES,
        `must be at most ${MOST_AUDIENCES - 1}: API Gateway takes tokens of ${MOST_AUDIENCES} clients, of which people's is one`,
      )
      .default({ machine: 'creator', operator: 'operator' }),
    /** Replaces dxxxx.cloudfront.net and xxxx.execute-api…; a DNS record of yours points there. */
    deliveryDomain: Domain.optional(),
    /** In us-east-1, whatever the region, because CloudFront requires it. */
    deliveryCertificateArn: z
      .string()
      .regex(/^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/, 'must be the ARN of a certificate in us-east-1')
      .optional(),
    apiDomain: Domain.optional(),
    /** In the stack's region. */
    apiCertificateArn: z
      .string()
      .regex(/^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/, 'must be the ARN of a certificate')
      .optional(),
    /** `deliveryDomain` or a parent of it: the cookies of playback sessions are set for it. */
    cookieDomain: Domain.optional(),
    /** RSA 2048, as PEM; CloudFront verifies signatures with it. Two during a key rotation. */
    playbackPublicKeyPem: z
      .union([PublicKeyPem, z.array(PublicKeyPem).min(1).max(2)])
      .transform((given) => [given].flat())
      .optional(),
    /** Name of a secret in Secrets Manager whose text is the private half, as PEM; the API signs with it. */
    playbackPrivateKeySecret: SecretName.optional(),
  })
  .superRefine((configuration, context) => {
    const refuse = (key: keyof typeof configuration, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const [least, most, step] = FARGATE_MEMORY[configuration.jobVcpus] ?? [0, 0, 1];
    const gib = configuration.workerMemoryMiB / MIB_PER_GIB;
    if (gib < least || gib > most || (gib - least) % step !== 0) {
      refuse(
        'workerMemoryMiB',
        `Fargate gives ${configuration.jobVcpus} vCPUs from ${least * MIB_PER_GIB} to ${most * MIB_PER_GIB} MiB, in steps of ${step * MIB_PER_GIB}`,
      );
    }
    if (configuration.maxVcpus < 2 * configuration.jobVcpus) {
      refuse(
        'maxVcpus',
        `must be at least ${2 * configuration.jobVcpus}: one job of jobVcpus on Spot and one on-demand`,
      );
    }
    // A value outside its own range has been reported already.
    if (configuration.scratchGiB >= LEAST_SCRATCH_GIB && configuration.maxUploadBytes > usableScratch(configuration)) {
      const least = Math.ceil(configuration.maxUploadBytes / GIB) + SYSTEM_GIB;
      refuse('scratchGiB', `must be at least ${least}: a worker's disk has to hold an upload of maxUploadBytes`);
    }
    if ((configuration.maxApiUploadBytes ?? 0) > configuration.maxUploadBytes) {
      refuse('maxApiUploadBytes', 'must not be more than maxUploadBytes');
    }
    const { cookieDomain, deliveryDomain } = configuration;
    if (cookieDomain && deliveryDomain !== cookieDomain && !deliveryDomain?.endsWith(`.${cookieDomain}`)) {
      refuse('cookieDomain', 'must be deliveryDomain or a parent of it');
    }
    for (const [one, other] of TOGETHER) {
      if ((configuration[one] === undefined) === (configuration[other] === undefined)) continue;
      refuse(configuration[one] === undefined ? one : other, `${one} and ${other} go together`);
    }
  });
export type Configuration = z.infer<typeof Configuration>;

/** Bytes of a worker's disk that a job may fill. */
export function usableScratch({ scratchGiB }: { scratchGiB: number }): number {
  return (scratchGiB - SYSTEM_GIB) * GIB;
}

/**
 * Reads the context value `dropreel`.
 * @throws Error with one line for each wrong key: `dropreel.maxVcpus: …`
 */
export function readConfiguration(context: unknown): Configuration {
  const { success, data, error } = Configuration.safeParse(context ?? {});
  if (success) return data;
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `dropreel.${key}: there is no such key`);
    return [`${['dropreel', ...issue.path].join('.')}: ${issue.message}`];
  });
  throw new Error(`The configuration in cdk.json is wrong.\n${lines.join('\n')}`);
}
