/**
 * A query of a global secondary index may only read projected attributes: the index does not fetch from the table.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html (`Select`). The database treats a name that is
 * not projected as an attribute that no item has, so it is refused here, in AWS's wording.
 */
import { AwsError } from '../../kernel/service.ts';
import { isRecord, type Json } from '../../template/json.ts';
import type { TableConfiguration } from './template.ts';

const WORDS = new Set(['AND', 'OR', 'NOT', 'BETWEEN', 'IN']);
/** A name or its placeholder at the beginning of a path; not that of a value or a function, and not further down in a document. */
const PATH_BEGINS = /(?<![#:.\w])#?[A-Za-z_]\w*(?![\w(])/g;

/** @throws AwsError ValidationException */
export function refuseUnprojected(table: TableConfiguration | undefined, input: Json): void {
  const index = table?.properties.GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === input.IndexName);
  if (!table || !index || index.Projection.ProjectionType === 'ALL') return;
  const projected = new Set([
    ...[...table.properties.KeySchema, ...index.KeySchema].map(({ AttributeName }) => AttributeName),
    ...(index.Projection.NonKeyAttributes ?? []),
  ]);
  const beyond = (expression: unknown) => namesIn(expression, input).filter((name) => !projected.has(name));
  const read = beyond(input.ProjectionExpression);
  // https://github.com/localstack/localstack/issues/478
  if (read.length > 0) throw refused(`Global secondary index ${index.IndexName} does not project [${read.join(', ')}]`);
  const filtered = beyond(input.FilterExpression);
  // https://github.com/sensedeep/dynamodb-onetable/issues/377
  if (filtered.length > 0) {
    throw refused(
      `Secondary index ${index.IndexName} does not project one or more filter attributes: [${filtered.join(', ')}]`,
    );
  }
}

function namesIn(expression: unknown, { ExpressionAttributeNames: placeholders }: Json): string[] {
  if (typeof expression !== 'string') return [];
  const names = (expression.match(PATH_BEGINS) ?? [])
    .filter((name) => !WORDS.has(name.toUpperCase()))
    .map((name) => (isRecord(placeholders) && name.startsWith('#') ? String(placeholders[name]) : name));
  return [...new Set(names)];
}

function refused(what: string): AwsError {
  return new AwsError('ValidationException', 400, `One or more parameter values were invalid: ${what}`);
}
