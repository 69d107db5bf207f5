import type { CacheBehavior } from './template.ts';

/**
 * The first behaviour whose pattern matches; the default has no pattern and is last. `*` matches any characters, including
 * slashes, `?` one. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
 * @param path decoded, with its leading slash
 */
export function chooseBehavior(behaviors: readonly CacheBehavior[], path: string): CacheBehavior | undefined {
  return behaviors.find(
    ({ pathPattern }) => pathPattern === undefined || matchesWildcard(withSlash(pathPattern), path),
  );
}

/** Matches the whole text against a pattern of `*` and `?`. Linear in both, for any pattern. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function withSlash(pattern: string): string {
  return pattern.startsWith('/') ? pattern : `/${pattern}`;
}
