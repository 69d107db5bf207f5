import { afterAll, beforeAll, expect, test } from 'vitest';
import { motoDiffers } from '../conformance/target.ts';
import { openTarget, type Target } from './s3-target.ts';

/** One thing that is true of S3, told by somebody else than us. */
export interface Case {
  title: string;
  /** Where the expectation is from: a page of https://docs.aws.amazon.com/AmazonS3/latest/, or what it is computed with. */
  truth: string;
  /** What moto 5.2.5 says on the same case; left out where it says the same. DROPREEL_ORACLE=moto checks that. */
  moto?: string;
  /** Comes to a literal. */
  run(target: Target): Promise<unknown>;
  expected: unknown;
}

/** Registers the cases as tests on one target. */
export function runCases(cases: readonly Case[]): void {
  let target: Awaited<ReturnType<typeof openTarget>>;
  beforeAll(async () => {
    target = await openTarget();
  });
  afterAll(() => target[Symbol.asyncDispose]());
  for (const { title, moto, run, expected } of cases) {
    const register = moto === undefined ? test : motoDiffers(moto);
    register(title, async () => expect(await run(target)).toEqual(expected));
  }
}
