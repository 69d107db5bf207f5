import { generateKeyPairSync } from 'node:crypto';
import { DOMAINS } from './domains.ts';

const spki = { type: 'spki', format: 'pem' } as const;
const pem = () => String(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export(spki));
const ISSUER = { jwtIssuer: 'https://id.example.com/', jwtAudience: ['https://dropreel.example.com'] };
const key = (...keys: string[]) => ({ playbackPublicKeyPem: keys, playbackPrivateKeySecret: 'dropreel/playback-key' });

/** Configurations whose templates have resources, or properties, that the default one has not; the last has all of them. */
export const VARIANTS: Record<string, Record<string, unknown>> = {
  'as cdk.json configures it': {},
  'with a playback key': key(pem()),
  'under domains of its own': DOMAINS,
  'with tokens of an OIDC issuer': { ...ISSUER, jwtCreatorClaim: ['creator', 'sub'] },
  'with all that can be configured': {
    ...key(pem(), pem()),
    ...DOMAINS,
    ...ISSUER,
    name: 'dropreel-staging',
    availabilityZones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
    uploadsBucketName: 'example-uploads',
    mediaBucketName: 'example-media',
    tableName: 'example-table',
    alarmEmail: 'ops@example.com',
    maxUsdPerMonth: 20,
    monthlyBudgetUsd: 100,
    gpuEngine: { maxVcpus: 16 },
    httpEngine: { url: 'https://api.runpod.ai/v2/abc', secret: 'dropreel/http-engine' },
    mediaConvert: true,
    jwtCreatorClaim: ['creator'],
    consoleClient: { id: 'console' },
    maxApiUploadBytes: 200_000_000,
    concurrency: { ingest: 20, track: 20, publish: 20, deliveries: 100 },
  },
};
