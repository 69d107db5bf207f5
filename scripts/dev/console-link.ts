import { z } from 'zod';
import { SCOPES } from '../../core/contracts/http/system.ts';
import type { Cloud } from '../../local/boot.ts';

/**
 * An address that signs one browser in to the console, once. Behind the number sign, it is sent to no server and is in no log; it opens a session
 * at the local issuer, which gives the console its tokens as Cognito does.
 * @returns null where the template has no issuer of its own
 */
export async function consoleLink(
  { issuer, credentials, outputs }: Pick<Cloud, 'issuer' | 'credentials' | 'outputs'>,
  { creatorId, path = '', scopes = Object.values(SCOPES) }: { creatorId: string; path?: string; scopes?: string[] },
): Promise<string | null> {
  if (!issuer || !outputs.ConsoleUrl) return null;
  const { accessKeyId, secretAccessKey } = credentials;
  const answer = await fetch(`${issuer.url}/dev/links`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}`,
    },
    body: JSON.stringify({ username: creatorId, scopes, to: `${outputs.ConsoleUrl}${path}` }),
  });
  if (!answer.ok) throw new Error(`The local issuer made no link: ${answer.status} ${await answer.text()}`);
  return z.object({ url: z.string() }).parse(await answer.json()).url;
}
