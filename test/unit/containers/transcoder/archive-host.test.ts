import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { checkEnded, onlyFaultsOfFile } from '../../../../containers/transcoder/archive/host.ts';
import { Complaints } from '../../../../containers/transcoder/ffmpeg/complaints.ts';
import { announce, checkExit } from '../../../../containers/transcoder/ffmpeg/run.ts';
import { DropreelError, type ErrorCode } from '../../../../core/contracts/errors.ts';

test.each([
  126, 127,
])('a program that its prefix cannot start, which ends with %i, is no fault of the file', (exitCode) => {
  const result = { failed: true, exitCode };
  expect(() => checkExit(result, new Complaints(), false)).toThrow(
    new Error(`FFmpeg did not start: exit code ${exitCode}`),
  );
  expect(() => checkEnded(result)).toThrow('ffprobe did not end');
});

test.each<[ErrorCode, boolean]>([
  ['encode_failed', true],
  ['corrupt', true],
  ['disk_full', false],
  ['out_of_memory', false],
])('%s says something of the file: %s', (code, expected) => {
  const error = new DropreelError(code, 'What happened.');
  if (expected) expect(onlyFaultsOfFile(error)).toBe('What happened.');
  else expect(() => onlyFaultsOfFile(error)).toThrow(error);
});

test('who is told of a process is told of its end', async () => {
  const child = spawn('true');
  const told: unknown[] = [];
  announce(child, (pid) => {
    told.push(pid);
    return () => told.push('ended');
  });
  await once(child, 'exit');
  expect(told).toEqual([child.pid, 'ended']);
});
