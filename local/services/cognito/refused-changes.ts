import { isDeepStrictEqual } from 'node:util';
import { changedOf, itemsByName } from '../../template/changes.ts';
import type { Json } from '../../template/json.ts';

/** https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-updating.html */
export function refusedPoolChanges(old: Json, now: Json): string[] {
  const after = itemsByName(now.Schema, 'Name');
  return [
    ...changedOf(old, now, ['AliasAttributes', 'UsernameAttributes', 'UsernameConfiguration']).map(
      (name) => `${name} stays as it was made`,
    ),
    ...[...itemsByName(old.Schema, 'Name')]
      .filter(([name, attribute]) => !isDeepStrictEqual(attribute, after.get(name)))
      .map(([name]) => `the attribute ${name} of Schema can neither be changed nor go`),
  ];
}
