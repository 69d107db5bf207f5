import { z } from 'zod';

const GIB = 1024 ** 3;
const MIB_PER_GIB = 1024;

/** Memory in GiB that Fargate gives to a number of vCPUs: least, most, step. https://docs.aws.amazon.com/batch/latest/userguide/fargate.html */
const FARGATE_MEMORY: Readonly<Record<number, readonly [number, number, number]>> = {
  1: [2, 8, 1],
  2: [4, 16, 1],
  4: [8, 30, 1],
  8: [16, 60, 4],
  16: [32, 120, 8],
};

/** What CloudWatch Logs accepts. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Of each pair both are given, or none. */
const TOGETHER = [
  ['jwtIssuer', 'jwtAudience'],
  ['playbackPublicKeyPem', 'playbackPrivateKeySecret'],
] as const;

const Count = z.number().int().positive();

/** `dropreel` in the context of cdk.json. docs/deploy.md describes each key. */
export const Configuration = z
  .strictObject({
    /** Bytes; S3 holds objects of at most 5 TiB, a worker's scratch disk less. */
    maxUploadBytes: Count.max(100 * GIB).default(50 * GIB),
    /** Bytes; the limit of uploads announced to the API. */
    maxApiUploadBytes: Count.default(200_000_000),
    allowedContentTypes: z
      .array(z.string().regex(/^(video|audio)\/(\*|[a-z0-9.+-]+)$/, 'must be a type like video/mp4 or video/*'))
      .min(1)
      .default(['video/*', 'audio/*']),
    /** vCPUs of all workers together, Spot and on-demand. */
    maxVcpus: Count.max(4000).default(64),
    jobVcpus: z.literal([1, 2, 4, 8, 16]).default(4),
    workerMemoryMiB: Count.default(8192),
    /** Ephemeral storage of a worker: Fargate gives 21 to 200 GiB. */
    scratchGiB: z.number().int().min(21).max(200).default(120),
    jobTimeoutHours: z.number().positive().max(336).default(12),
    graceHours: z.number().nonnegative().default(24),
    maxRetranscodes: Count.default(8),
    maxAttempts: Count.default(2),
    logRetentionDays: z.literal(RETENTION_DAYS).default(30),
    alarmEmail: z.email().optional(),
    /** An OIDC issuer to be trusted instead of the stack's own Cognito user pool. */
    jwtIssuer: z.url({ protocol: /^https$/ }).optional(),
    jwtAudience: z.array(z.string().min(1)).min(1).optional(),
    /** RSA 2048 or ECDSA P-256, as PEM; CloudFront verifies signed cookies with it. */
    playbackPublicKeyPem: z
      .string()
      .regex(/^-----BEGIN PUBLIC KEY-----\n[\s\S]+\n-----END PUBLIC KEY-----\n?$/, 'must be a public key in PEM form')
      .optional(),
    /** Name of a secret in Secrets Manager whose text is the private half, as PEM; the API signs with it. */
    playbackPrivateKeySecret: z
      .string()
      .regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, 'must be the name of a secret')
      .optional(),
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
    if (configuration.maxApiUploadBytes > configuration.maxUploadBytes) {
      refuse('maxApiUploadBytes', 'must not be more than maxUploadBytes');
    }
    for (const [one, other] of TOGETHER) {
      if ((configuration[one] === undefined) === (configuration[other] === undefined)) continue;
      refuse(configuration[one] === undefined ? one : other, `${one} and ${other} go together`);
    }
  });
export type Configuration = z.infer<typeof Configuration>;

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
