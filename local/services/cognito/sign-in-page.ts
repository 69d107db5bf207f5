import { createHash } from 'node:crypto';

/**
 * Opens a session by a link, or sends a browser that has one back with a code. The session's secret lies in the storage of this origin,
 * port included, and not in a cookie: a cookie of 127.0.0.1 is sent to every port, and so to servers of the machine's other users.
 */
const SCRIPT = `const say = (text) => { document.querySelector('p').textContent = text; };
const post = async (path, body) => {
  const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const text = await answer.json();
  if (!answer.ok) throw new Error(text.error);
  return text;
};
const steps = {
  async '/dev/sign-in'() {
    const link = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
    const { session, to } = await post('/dev/sign-in', { link });
    localStorage.setItem('session', session);
    location.replace(to);
  },
  async '/oauth2/authorize'() {
    const { to } = await post('/oauth2/authorize', { session: localStorage.getItem('session') ?? '', query: location.search });
    location.replace(to);
  },
  async '/logout'() {
    const { to } = await post('/logout', { session: localStorage.getItem('session') ?? '', query: location.search });
    localStorage.removeItem('session');
    if (to) location.replace(to);
    else say('Signed out.');
  },
};
const wanting = ['login_required', 'access_denied'];
steps[location.pathname]().catch(({ message }) => say(wanting.includes(message)
  ? 'Nobody is signed in here, or the link was used before. Open the address that the local cloud has printed for it.'
  : 'This cannot be done: ' + message));
`;

const HASH = createHash('sha256').update(SCRIPT).digest('base64');

export const SIGN_IN_PAGE = {
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; script-src 'sha256-${HASH}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    // Local servers are called by pages of loopback only, which this names.
    'referrer-policy': 'strict-origin',
    'x-content-type-options': 'nosniff',
  },
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Local sign-in</title><p>Signing in…</p><script>${SCRIPT}</script></html>`,
};
