import type { Cloud } from '../../local/boot.ts';
import { apiWith } from './api.ts';
import type { dropreel } from './command.ts';

/** What follows `dropreel`, as a shell takes it apart. */
export function wordsOf(line: string): string[] {
  const [, rest = ''] = /(?:^|\s)dropreel (.*)$/.exec(line) ?? [];
  return rest.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
}

/** What is made before the tests and disposed of after them, the last first. */
export function kept() {
  const made: AsyncDisposable[] = [];
  return {
    use<T extends AsyncDisposable>(one: T): T {
      made.unshift(one);
      return one;
    },
    async dispose() {
      for (const one of made) await one[Symbol.asyncDispose]();
    },
  };
}

let collections = 0;

/** Whom the API takes the bearer of a token for; the status of its refusal when it takes it for nobody. */
export async function asSeen(cloud: Cloud, token: string) {
  const api = apiWith(cloud, token);
  const made = await api('POST', '/collections', { body: { id: `c${++collections}` } });
  if (made.status !== 201) return made.status;
  return { creatorId: made.body.creatorId, operator: (await api('GET', '/health')).status === 200 };
}

/** Whose collections the command makes by now. */
export async function creatorOf(run: (args: string[]) => ReturnType<typeof dropreel>): Promise<unknown> {
  const made = await run(['collections', 'create', `c${++collections}`, '--profile', 'default', '--json']);
  if (made.exitCode !== 0) throw new Error(made.stderr);
  return JSON.parse(made.stdout).creatorId;
}
