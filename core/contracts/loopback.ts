/** Host names that resolve to this machine only: `.localhost` by RFC 6761, section 6.3, which browsers follow. */
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|(?:[a-z0-9_-]+\.)*localhost)$/;

/** @param url an absolute URL; false for any other text. The scheme is not checked. */
export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}
