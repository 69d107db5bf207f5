import { createHash, randomUUID } from 'node:crypto';
import type { IssuerSecrets } from './keys.ts';
import type { Grant } from './sign-in.ts';
import type { Client } from './template.ts';

export interface TokenAnswer {
  access_token: string;
  expires_in: number;
  token_type: 'Bearer';
}

/** Claims of a machine's access token. https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html */
export function machineToken(
  secrets: IssuerSecrets,
  client: Client,
  { scopes, nowSeconds }: { scopes: string[]; nowSeconds: number },
): TokenAnswer {
  return answer(secrets, client, { sub: client.id, ...common(client, scopes, nowSeconds) });
}

/** The tokens of a sign-in in a browser. Their scopes are those that the developer has given the person, as with `/dev/token`. */
export function signedInTokens(
  secrets: IssuerSecrets,
  { client, person, nonce, signedInAt, refreshToken }: Grant & { refreshToken: string },
  nowSeconds: number,
) {
  const { username, scopes } = person;
  const access = personToken(secrets, client, { username, scopes, nowSeconds });
  const identity = {
    sub: subjectOf(username),
    aud: client.id,
    iss: client.pool.issuer,
    token_use: 'id',
    'cognito:username': username,
    ...(nonce !== undefined && { nonce }),
    auth_time: Math.floor(signedInAt / 1000),
    iat: nowSeconds,
    exp: nowSeconds + client.tokenSeconds,
  };
  return { ...access, id_token: secrets.sign(identity), refresh_token: refreshToken };
}

/** A person's access token, as Cognito issues it after a sign-in. */
export function personToken(
  secrets: IssuerSecrets,
  client: Client,
  { username, scopes, nowSeconds }: { username: string; scopes: string[]; nowSeconds: number },
): TokenAnswer {
  return answer(secrets, client, {
    sub: subjectOf(username),
    ...common(client, scopes, nowSeconds),
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    username,
  });
}

/** A person's sub is a constant UUID; here it is derived from the name. */
function subjectOf(username: string): string {
  const hex = createHash('sha256').update(username).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function common(client: Client, scopes: string[], now: number): Record<string, unknown> {
  return {
    token_use: 'access',
    scope: scopes.join(' '),
    auth_time: now,
    iss: client.pool.issuer,
    exp: now + client.tokenSeconds,
    iat: now,
    version: 2,
    jti: randomUUID(),
    client_id: client.id,
  };
}

function answer(secrets: IssuerSecrets, client: Client, claims: Record<string, unknown>): TokenAnswer {
  return { access_token: secrets.sign(claims), expires_in: client.tokenSeconds, token_type: 'Bearer' };
}
