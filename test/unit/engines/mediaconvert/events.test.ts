import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../../core/contracts/errors.ts';
import { readEvent } from '../../../../engines/mediaconvert/events.ts';
import { endOfError, endOfWarnings, lossesOf } from '../../../../engines/mediaconvert/reasons.ts';

const JOB = 'abcdefghijklmnopqrstuvwxyz-3';
const ID = '1795867200000-a1b2c3';
const job = { jobId: JOB, engineJobId: ID, part: 'encode' };

/** As https://docs.aws.amazon.com/mediaconvert/latest/ug/ev_status_complete.html has it, with what is not read left in. */
const changed = (detail: object) => ({
  version: '0',
  id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
  'detail-type': 'MediaConvert Job State Change',
  source: 'aws.mediaconvert',
  account: '123456789012',
  time: '2026-11-28T12:00:05Z',
  region: 'us-east-1',
  resources: [`arn:aws:mediaconvert:us-east-1:123456789012:jobs/${ID}`],
  detail: {
    timestamp: 1795867205123,
    accountId: '123456789012',
    queue: 'arn:aws:mediaconvert:us-east-1:123456789012:queues/Default',
    jobId: ID,
    userMetadata: { app: 'dropreel', jobId: JOB, attempt: '1' },
    ...detail,
  },
});

describe('an event of MediaConvert', () => {
  it('of a job that begins has its start', () => {
    const event = readEvent(changed({ status: 'PROGRESSING' }));
    expect(event).toEqual({ kind: 'running', ...job, startedAt: '2026-11-28T12:00:05.123Z' });
  });

  it.each(['INPUT_INFORMATION', 'STATUS_UPDATE'])('%s says that the job runs', (status) => {
    expect(readEvent(changed({ status }))).toEqual({ kind: 'running', ...job });
  });

  it('COMPLETE is not the end: its outputs are to be verified', () => {
    const warnings = [{ code: 230001, count: 1 }];
    const outputGroupDetails = [{ type: 'CMAF_GROUP', outputDetails: [{ durationInMs: 84360 }] }];
    expect(readEvent(changed({ status: 'COMPLETE', warnings, outputGroupDetails, blackVideoDetected: 458 }))).toEqual({
      kind: 'continues',
      ...job,
      next: 'finish-1-230001',
    });
  });

  it('COMPLETE with an input that is cut off is a failure, also where the number comes as text', () => {
    for (const code of [220000, '220000']) {
      expect(readEvent(changed({ status: 'COMPLETE', warnings: [{ code, count: 1 }] }))).toEqual({
        kind: 'ended',
        ...job,
        end: {
          by: 'outside',
          onlyAttempt: true,
          billed: true,
          reason: {
            code: 'truncated',
            message: 'The file is cut off: MediaConvert found less media than it announces.',
          },
        },
      });
    }
  });

  it('COMPLETE is read where its warnings cannot be', () => {
    const event = readEvent(changed({ status: 'COMPLETE', warnings: 'many' }));
    expect(event).toEqual({ kind: 'continues', ...job, next: 'finish-1' });
  });

  it.each([
    {},
    { attempt: 'first' },
    { attempt: '1234567' },
  ])('COMPLETE without the number of the submission changes nothing: %j', (numbered) => {
    const userMetadata = { app: 'dropreel', jobId: JOB, ...numbered };
    const why = 'MediaConvert has completed the job, but does not say which submission it was.';
    expect(readEvent(changed({ status: 'COMPLETE', userMetadata }))).toEqual({ kind: 'nothing', why });
  });

  it('ERROR ends the job with its number and text', () => {
    const errorMessage = 'Audio track [1] not found in input container.';
    expect(readEvent(changed({ status: 'ERROR', errorCode: 1040, errorMessage }))).toEqual({
      kind: 'ended',
      ...job,
      end: {
        by: 'outside',
        onlyAttempt: true,
        reason: {
          code: 'encode_failed',
          message: 'MediaConvert ended the job with error 1040: Audio track [1] not found in input container.',
        },
      },
    });
  });

  it('CANCELED ends the job from outside', () => {
    expect(readEvent(changed({ status: 'CANCELED' }))).toEqual({
      kind: 'ended',
      ...job,
      end: { by: 'outside', onlyAttempt: true, reason: { code: 'cancelled', message: 'The job was cancelled.' } },
    });
  });

  it.each(['NEW_WARNING', 'QUEUE_HOP', 'SOMETHING_NEW'])('%s changes nothing', (status) => {
    expect(readEvent(changed({ status }))).toEqual({ kind: 'nothing', why: `the job is ${status}` });
  });

  it.each([
    {},
    { app: 'other', jobId: JOB },
    { app: 'dropreel', jobId: '../x' },
  ])("of somebody else's job, with the metadata %o, changes nothing", (userMetadata) => {
    const event = readEvent(changed({ status: 'ERROR', userMetadata }));
    expect(event).toEqual({ kind: 'nothing', why: `not a job of ours: ${ID}` });
  });

  it('that has no job is an error, and one of another source is not read', () => {
    expect(() => readEvent(changed({ jobId: undefined, status: 'ERROR' }))).toThrow('jobId');
    expect(readEvent({ ...changed({ status: 'ERROR' }), source: 'aws.batch' })).toBeNull();
  });
});

describe("MediaConvert's numbers", () => {
  it.each([
    [1010, 'unsupported_codec', false],
    [1020, 'corrupt', false],
    [1030, 'unsupported_codec', false],
    [1040, 'encode_failed', false],
    [1041, 'encode_failed', false],
    [1075, 'corrupt', false],
    [1076, 'truncated', false],
    [1056, 'storage_failed', true],
    [1401, 'storage_failed', true],
    [1404, 'storage_failed', true],
    [1434, 'engine_refused', true],
    [1517, 'storage_failed', true],
    [1550, 'worker_lost', true],
    [1999, 'worker_lost', true],
    [4711, 'worker_lost', true],
    [undefined, 'worker_lost', true],
  ] as const)('error %s is %s, worth another attempt: %s', (number, code, transient) => {
    const { reason } = endOfError(number, 'text');
    expect([reason.code, ERRORS[reason.code].transient]).toEqual([code, transient]);
  });

  it('of a truncated input fail a complete job, and no others do', () => {
    expect(endOfWarnings([230001, 220000])?.reason.code).toBe('truncated');
    expect(endOfWarnings([100000, 230001, 240000, 260000])).toBeNull();
  });

  it('of losses become warnings, each once', () => {
    expect(lossesOf([230006, 230006, 100000, 240001]).map(({ code, message }) => [code, message])).toEqual([
      ['sound_damaged', 'MediaConvert could not decode all of the sound.'],
      ['sound_damaged', 'MediaConvert has left out at least 0.1 s of sound.'],
    ]);
  });
});
