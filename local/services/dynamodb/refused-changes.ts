import { changedOf, itemsByName, recordOf } from '../../template/changes.ts';
import type { Json } from '../../template/json.ts';

/**
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
 * CloudFormation does not split such changes into steps: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/229
 */
export function refusedTableChanges(old: Json, now: Json): string[] {
  const before = itemsByName(old.GlobalSecondaryIndexes, 'IndexName');
  const after = itemsByName(now.GlobalSecondaryIndexes, 'IndexName');
  const made = [...after.keys()].filter((name) => !before.has(name));
  const gone = [...before.keys()].filter((name) => !after.has(name));
  // "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification. You can create a new
  // GSI with a different name." https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
  const changed = [...before.keys()]
    .filter((name) => after.has(name))
    .filter(
      (name) =>
        changedOf(recordOf(before.get(name)), recordOf(after.get(name)), ['KeySchema', 'Projection']).length > 0,
    );
  return [
    ...(made.length + gone.length > 1
      ? [`an update makes or removes one global secondary index, not ${[...made, ...gone].join(', ')}`]
      : []),
    ...changed.map((name) => `the global secondary index ${name} stays as it was made; another one needs another name`),
  ];
}
