export interface RouteMatch<T> {
  route: T;
  pathParameters: Record<string, string> | undefined;
}

/**
 * The most specific route for a request: a full match of the path, then a greedy path variable, then $default. Among those,
 * fixed segments precede variables from left to right, a method precedes ANY.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 * @param path decoded
 */
export function matchRoute<T extends { key: string }>(
  routes: readonly T[],
  method: string,
  path: string,
): RouteMatch<T> | undefined {
  const [best] = routes
    .flatMap((route) => matchOne(route, method, path) ?? [])
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  return best && { route: best.route, pathParameters: best.pathParameters };
}

/** `rank` orders matches as text, the best first. */
function matchOne<T extends { key: string }>(
  route: T,
  method: string,
  path: string,
): (RouteMatch<T> & { rank: string }) | undefined {
  if (route.key === '$default') return { route, pathParameters: undefined, rank: '3' };
  const [routeMethod = '', pattern = ''] = route.key.split(' ');
  if (routeMethod !== 'ANY' && routeMethod !== method) return undefined;
  const wanted = segments(pattern);
  const given = segments(path);
  const greedy = wanted.at(-1)?.endsWith('+}') ?? false;
  if (greedy ? given.length < wanted.length : given.length !== wanted.length) return undefined;

  const parameters: [string, string][] = [];
  let rank = greedy ? '2' : '1';
  for (const [index, segment] of wanted.entries()) {
    const variable = /^\{([^}+]+)(\+?)\}$/.exec(segment);
    const value = variable?.[2] ? given.slice(index).join('/') : (given[index] ?? '');
    if (variable?.[1] && value !== '') parameters.push([variable[1], value]);
    else if (segment !== value) return undefined;
    rank += variable ? 'b' : 'a';
  }
  return {
    route,
    pathParameters: parameters.length > 0 ? Object.fromEntries(parameters) : undefined,
    rank: `${rank}${routeMethod === 'ANY' ? 'z' : ''}`,
  };
}

/** `/a/b` → `a`, `b`; `/` → one empty segment. */
function segments(path: string): string[] {
  return path.slice(1).split('/');
}
