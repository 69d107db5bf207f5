import { z } from 'zod';
import { Client } from '../../../client/client.ts';
import type { Answer } from '../../../client/request.ts';
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
  signOut: () => Promise<void>;
}

/**
 * Signs in, by the issuer's page if need be.
 * @returns null while the browser leaves for that page
 * @throws Error that says what is wrong with the deployment, or with the sign-in
 */
export async function openSession(): Promise<Session | null> {
  const answer = await fetch('/console/config.json');
  if (!answer.ok) throw new Error(`The console's configuration cannot be read: status ${answer.status}.`);
  const config = Config.parse(await answer.json());
  if (!config.signIn) {
    throw new Error(
      'This deployment names no client of its issuer for the console: see consoleClient in docs/deploy.md.',
    );
  }
  const signIn = new SignIn(config.signIn);
  if (!(await signIn.open())) return null;
  const client = new Client(config.apiUrl, () => signIn.token());
  const { apiUrl, uploadsBucket } = config;
  return { client, me: await client.call('getMe'), places: { apiUrl, uploadsBucket }, signOut: () => signIn.close() };
}
