import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Check, Run } from './check.ts';
import { alarms } from './checks/alarms.ts';
import { engines } from './checks/engines.ts';
import { mediaconvert } from './checks/mediaconvert.ts';
import { playback } from './checks/playback.ts';
import { privatePlayback } from './checks/private-playback.ts';
import { reclaim } from './checks/reclaim.ts';
import { retranscode } from './checks/retranscode.ts';
import { webhooks } from './checks/webhooks.ts';
import { Skipped } from './failed.ts';
import { markMedia } from './media.ts';
import type { Target } from './target.ts';

/** The cheapest first, because the checks without an encode say most about the rest. */
export const CHECKS: readonly Check[] = [
  ...[alarms, playback, retranscode, webhooks, engines, mediaconvert],
  ...[privatePlayback, reclaim],
];

export interface Finding {
  check: string;
  promise: string;
  result: 'holds' | 'fails' | 'skipped';
  /** What was observed, or what was missing. */
  detail: string;
}

/**
 * Checks what a deployment promises, on itself, with its own media, and leaves nothing behind.
 * @param checks those to run
 * @param report called as each ends
 */
export async function verify(
  target: Target,
  checks: readonly Check[],
  report: (finding: Finding) => void,
  say: (line: string) => void,
): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-verify-'));
  const undo: { what: string; undo: () => Promise<void> }[] = [];
  const run: Run = {
    target,
    creatorId: `verify-${randomBytes(4).toString('hex')}`,
    media: [],
    folder,
    say,
    atEnd: (what, work) => undo.push({ what, undo: work }),
  };
  const findings: Finding[] = [];
  const add = (finding: Finding) => {
    findings.push(finding);
    report(finding);
  };
  for (const check of checks) {
    say(`${check.name}: ${check.promise}`);
    const outcome = await attempt(() => check.run(run));
    add({ check: check.name, promise: check.promise, ...outcome });
  }
  const left: string[] = [];
  say('cleaning up');
  await markMedia(run).catch((error: Error) => left.push(error.message));
  for (const { what, undo: work } of undo.reverse()) {
    await work().catch((error: Error) => left.push(`${what} (${error.message})`));
  }
  await rm(folder, { recursive: true, force: true });
  const detail = left.length === 0 ? `${undo.length} things were made and are gone` : `left: ${left.join('; ')}`;
  add({ check: 'clean-up', promise: 'nothing is left behind', result: left.length === 0 ? 'holds' : 'fails', detail });
  return findings;
}

async function attempt(work: () => Promise<string>): Promise<Pick<Finding, 'result' | 'detail'>> {
  try {
    return { result: 'holds', detail: await work() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { result: error instanceof Skipped ? 'skipped' : 'fails', detail };
  }
}
