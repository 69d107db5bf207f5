import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import { expect, it } from 'vitest';
import { RESOURCE_TYPES } from '../../local/plugins.ts';

it("the local cloud's create-only properties are those of AWS's schemas, for every type that it knows", async () => {
  const spec = await loadAwsServiceSpec();
  const expected = spec
    .all('resource')
    .filter(({ cloudFormationType }) => cloudFormationType in RESOURCE_TYPES)
    .map(({ cloudFormationType, properties }) => [
      cloudFormationType,
      Object.keys(properties)
        .filter((name) => properties[name]?.causesReplacement === 'yes')
        .sort(),
    ])
    .filter(([, names]) => names?.length);
  const createOnly = Object.entries(RESOURCE_TYPES).flatMap(([type, it]) =>
    it.createOnly ? [[type, it.createOnly]] : [],
  );
  expect(Object.fromEntries(createOnly)).toEqual(Object.fromEntries(expected));
});
