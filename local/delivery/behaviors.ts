import type { DeliveryBehavior } from './template.ts';

/**
 * The first behaviour whose pattern matches; the default has none and comes last. `*` stands for any characters, slashes
 * too, `?` for one. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
 * @param path decoded, with its slash
 */
export function chooseBehavior(behaviors: readonly DeliveryBehavior[], path: string): DeliveryBehavior | undefined {
  return behaviors.find(
    ({ pathPattern }) => pathPattern === undefined || matchesWildcard(withSlash(pathPattern), path),
  );
}

/** The whole text against a pattern of `*` and `?`. Linear in both, whatever the pattern. */
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
