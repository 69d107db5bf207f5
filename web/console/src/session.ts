import { z } from 'zod';
import { Client } from '../../../client/client.ts';
import type { Answer } from '../../../client/request.ts';
import { messageOf } from './parts/notice.tsx';
import { SignIn, SignInConfig } from './sign-in.ts';

/** What `/console/config.json` says of the deployment. */
const Config = z.object({
  apiUrl: z.url(),
  /** For what is dropped without the console. */
  uploadsBucket: z.string(),
  signIn: SignInConfig.optional(),
});

export interface Session {
  client: Client;
  me: Answer<'getMe'>;
  places: Pick<z.infer<typeof Config>, 'apiUrl' | 'uploadsBucket'>;
  signIn: SignIn;
}

/** Somebody is signed in, whom the API does not let in. */
export class NotLetIn extends Error {
  override readonly name = 'NotLetIn';
  readonly signOut: () => Promise<void>;

  constructor(cause: unknown, signOut: () => Promise<void>) {
    super(messageOf(cause), { cause });
    this.signOut = signOut;
  }
}

/**
 * Signs in, by the issuer's page if need be.
 * @returns `leaving` while the browser leaves for that page, `elsewhere` when another tab goes on
 * @throws NotLetIn, Error that says what is wrong with the deployment, or with the sign-in
 */
export async function openSession(): Promise<Session | 'leaving' | 'elsewhere'> {
  const answer = await fetch('/console/config.json');
  if (!answer.ok) throw new Error(`The console's configuration cannot be read: status ${answer.status}.`);
  const config = Config.parse(await answer.json());
  if (!config.signIn) {
    throw new Error(
      'This deployment names no client of its issuer for the console: see consoleClient in docs/deploy.md.',
    );
  }
  const signIn = new SignIn(config.signIn);
  const opened = await signIn.open();
  if (opened !== 'here') return opened;
  const client = new Client(config.apiUrl, () => signIn.token());
  const me = await client.call('getMe').catch((error: unknown) => {
    throw new NotLetIn(error, () => signIn.close());
  });
  const { apiUrl, uploadsBucket } = config;
  return { client, me, places: { apiUrl, uploadsBucket }, signIn };
}
