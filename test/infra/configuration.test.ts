import { describe, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { readConfiguration } from '../../lib/configuration.ts';

const given = cdkJson.context.dropreel;

describe('the configuration', () => {
  it('of cdk.json is valid, and equal to the defaults', () => {
    expect(readConfiguration(given)).toEqual(readConfiguration(undefined));
  });

  it.each([
    ['an unknown key', { maxVcpu: 8 }, 'dropreel.maxVcpu: there is no such key'],
    [
      'a limit of concurrency that Lambda does not take',
      { concurrency: { ingest: 1 } },
      'dropreel.concurrency.ingest: Too small: expected number to be >=2',
    ],
    ['a number as text', { graceHours: '24' }, 'dropreel.graceHours: Invalid input: expected number, received string'],
    ['no vCPU count of Fargate', { jobVcpus: 3 }, 'dropreel.jobVcpus: Invalid option: expected one of 1|2|4|8|16'],
    [
      'memory that Fargate does not pair with the vCPUs',
      { workerMemoryMiB: 4096 },
      'dropreel.workerMemoryMiB: Fargate gives 4 vCPUs from 8192 to 30720 MiB, in steps of 1024',
    ],
    [
      'memory between two steps',
      { jobVcpus: 8, workerMemoryMiB: 18432 },
      'dropreel.workerMemoryMiB: Fargate gives 8 vCPUs from 16384 to 61440 MiB, in steps of 4096',
    ],
    [
      'room for one job only',
      { maxVcpus: 4 },
      'dropreel.maxVcpus: must be at least 8: one job of jobVcpus on Spot and one on-demand',
    ],
    [
      'uploads that no worker can hold',
      { maxUploadBytes: 50 * 1024 ** 3, scratchGiB: 51 },
      "dropreel.scratchGiB: must be at least 52: a worker's disk has to hold an upload of maxUploadBytes",
    ],
    ['scratch beyond Fargate', { scratchGiB: 201 }, 'dropreel.scratchGiB: Too big: expected number to be <=200'],
    ['retention unknown to CloudWatch', { logRetentionDays: 31 }, 'dropreel.logRetentionDays: Invalid option'],
    [
      'a type that is neither video nor audio',
      { allowedContentTypes: ['image/png'] },
      'dropreel.allowedContentTypes.0: must be a type like video/mp4 or video/*',
    ],
    [
      'an API limit above the limit of all uploads',
      { maxUploadBytes: 1000, maxApiUploadBytes: 1001 },
      'dropreel.maxApiUploadBytes: must not be more than maxUploadBytes',
    ],
    [
      'a public key without its private half',
      { playbackPublicKeyPem: '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n' },
      'dropreel.playbackPrivateKeySecret: playbackPublicKeyPem and playbackPrivateKeySecret go together',
    ],
    [
      'more audiences than an authorizer takes',
      { jwtIssuer: 'https://id.example.com', jwtAudience: Array(51).fill('a') },
      'dropreel.jwtAudience: Too big: expected array to have <=50 items',
    ],
    [
      'more machines than an authorizer takes, beside people',
      { machineClients: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`m${i}`, 'creator'])) },
      "dropreel.machineClients: must be at most 49: API Gateway takes tokens of 50 clients, of which people's is one",
    ],
    [
      'an issuer without an audience',
      { jwtIssuer: 'https://id.example.com' },
      'dropreel.jwtAudience: jwtIssuer and jwtAudience go together',
    ],
    [
      'an issuer over http',
      { jwtIssuer: 'http://id.example.com', jwtAudience: ['a'] },
      'dropreel.jwtIssuer: Invalid URL',
    ],
    ['versions that go while players hold them', { graceHours: 0 }, 'dropreel.graceHours: Too small'],
    ['no e-mail address', { alarmEmail: 'ops' }, 'dropreel.alarmEmail: Invalid email address'],
    [
      'a key that is not PEM',
      { playbackPublicKeyPem: 'abc' },
      'dropreel.playbackPublicKeyPem: must be a public key in PEM form',
    ],
  ])('with %s is refused, and the key is named', (_what, change, line) => {
    expect(() => readConfiguration({ ...given, ...change })).toThrow(line);
  });

  it('names every wrong key, a line each', () => {
    expect(() => readConfiguration({ ...given, scratchGiB: 0, graceHours: -1 })).toThrow(
      /^The configuration in cdk\.json is wrong\.\ndropreel\.scratchGiB: .+\ndropreel\.graceHours: .+$/,
    );
  });
});
