import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Reads a secret's text. */
export type ReadSecret = () => Promise<string>;

/**
 * Returns the text of a secret, fetched on the first request and again once it is older than `ttlMs`: a new value is in
 * use after that time without a deployment. A failure is not cached.
 */
export function secretReader(
  client: SecretsManagerClient,
  secretId: string,
  ttlMs: number,
  now: () => number = Date.now,
): ReadSecret {
  let kept: { text: Promise<string>; until: number } | undefined;
  return () => {
    if (!kept || now() >= kept.until) {
      const text = fetchText(client, secretId);
      kept = { text, until: now() + ttlMs };
      text.catch(() => {
        kept = undefined;
      });
    }
    return kept.text;
  };
}

async function fetchText(client: SecretsManagerClient, secretId: string): Promise<string> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  if (!SecretString) throw new Error(`The secret ${secretId} has no text.`);
  return SecretString;
}
