/**
 * An attribute of a stream's record as a plain value: DynamoDB writes the type of each beside it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_AttributeValue.html
 * @returns undefined for sets and bytes, which no row has
 */
export function plain(attribute: unknown): unknown {
  if (typeof attribute !== 'object' || attribute === null) return undefined;
  const [[type, value] = []] = Object.entries(attribute);
  switch (type) {
    case 'S':
    case 'BOOL':
      return value;
    case 'N':
      return Number(value);
    case 'NULL':
      return null;
    case 'L':
      return Array.isArray(value) ? value.map(plain) : undefined;
    case 'M':
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
    default:
      return undefined;
  }
}
