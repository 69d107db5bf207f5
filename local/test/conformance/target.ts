import { DescribeEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { beforeEach, test } from 'vitest';
import { type Credentials, REGION } from '../../kernel/account.ts';

/** For any client of the AWS SDK. */
export interface ClientOptions {
  region: string;
  maxAttempts: number;
  /** Without it: AWS. */
  endpoint?: string;
  /** Without them: the SDK's chain of providers. */
  credentials?: Credentials;
}

const AWS = /\.(amazonaws\.[a-z.]+|aws)$/;

/** @throws Error for an endpoint of AWS: there the cases need the account's number */
export function emulator(url: string): ClientOptions {
  if (AWS.test(new URL(url).hostname)) {
    throw new Error(`${url} is AWS itself: to run the cases in an account of yours, name it with --account`);
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId = 'test', AWS_SECRET_ACCESS_KEY: secretAccessKey = 'test' } = process.env;
  return { endpoint: url, region: REGION, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
}

/** Asks AWS whose the credentials are before anything is made with them. @throws Error when the account is another */
export async function account(id: string): Promise<ClientOptions> {
  const options = { region: REGION, maxAttempts: 1 };
  const client = new EventBridgeClient(options);
  const { Arn } = await client.send(new DescribeEventBusCommand({}));
  client.destroy();
  const found = Arn?.split(':')[4];
  if (found !== id) throw new Error(`--account ${id}, but the credentials are those of ${found}`);
  return options;
}

const { DROPREEL_CONFORMANCE_ENDPOINT: url, DROPREEL_CONFORMANCE_ACCOUNT: id } = process.env;

if (url && id) throw new Error('--endpoint and --account exclude each other');

/** What the cases run against in place of a local cloud: another emulator, or an account of AWS. */
export const OTHER: ClientOptions | undefined = id ? await account(id) : url ? emulator(url) : undefined;

/** Skips each case of the file, or `describe`, on another endpoint, and says why. */
export function oursOnly(reason: string): void {
  beforeEach(({ skip }) => skip(OTHER !== undefined, `our own cloud only: ${reason}`));
}

/** The endpoint is moto 5.2.5: where a case says that it differs, it has to. */
export const MOTO = process.env.DROPREEL_ORACLE === 'moto';

/** `test`, for a case to which moto 5.2.5 answers otherwise; `how`, for the reader. */
export const motoDiffers = (_how: string): typeof test | typeof test.fails => (MOTO ? test.fails : test);
