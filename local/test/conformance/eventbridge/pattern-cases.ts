/** What EventBridge's documentation says of a pattern and an event. `page` is under docs.aws.amazon.com/eventbridge/latest/userguide/. */
export interface PatternCase {
  title: string;
  page: string;
  pattern: unknown;
  event: unknown;
  matches: boolean;
}

const OPERATORS = 'eb-create-pattern-operators.html';
const PATTERNS = 'eb-event-patterns.html';
const NULLS = 'eb-event-patterns-null-values.html';
const ARRAYS = 'eb-event-patterns-arrays.html';

/** The EC2 event of the page on event patterns. */
const EC2 = {
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  account: '111122223333',
  time: '2017-12-22T18:43:48Z',
  region: 'us-west-1',
  resources: ['arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0'],
  detail: { 'instance-id': 'i-1234567890abcdef0', state: 'terminated' },
};

function detail(title: string, pattern: unknown, event: unknown, matches: boolean, page = OPERATORS): PatternCase {
  return { title, page, pattern: { detail: pattern }, event: { ...EC2, detail: event }, matches };
}

export const PATTERN_CASES: readonly PatternCase[] = [
  {
    title: 'fields that the pattern does not name are ignored',
    page: PATTERNS,
    pattern: {
      source: ['aws.ec2'],
      'detail-type': ['EC2 Instance State-change Notification'],
      detail: { state: ['terminated'] },
    },
    event: EC2,
    matches: true,
  },
  {
    title: 'every field that the pattern names has to match',
    page: PATTERNS,
    pattern: { source: ['aws.ec2'], detail: { state: ['running'] } },
    event: EC2,
    matches: false,
  },
  {
    title: 'one of several values is enough',
    page: PATTERNS,
    pattern: { detail: { state: ['stopped', 'terminated'] } },
    event: EC2,
    matches: true,
  },
  {
    title: 'values are compared character by character, without case folding',
    page: PATTERNS,
    pattern: { detail: { state: ['Terminated'] } },
    event: EC2,
    matches: false,
  },
  {
    title: 'a field that the event lacks does not match',
    page: PATTERNS,
    pattern: { detail: { 'c-count': ['5'] } },
    event: EC2,
    matches: false,
  },
  detail('a number is not the string of its digits', { 'c-count': [5] }, { 'c-count': '5' }, false, PATTERNS),
  detail('a boolean matches itself', { active: [true] }, { active: true }, true, PATTERNS),
  detail('null matches a field that is null', { UserID: [null] }, { UserID: null }, true, NULLS),
  detail('null does not match a field that is absent', { UserID: [null] }, {}, false, NULLS),
  detail('the empty string matches an empty value', { eventVersion: [''] }, { eventVersion: '' }, true, NULLS),
  detail('the empty string does not match null', { eventVersion: [''] }, { eventVersion: null }, false, NULLS),
  {
    title: 'an array in the event matches when it and the pattern share a value',
    page: ARRAYS,
    pattern: {
      resources: [
        'arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f',
        'arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0',
      ],
    },
    event: EC2,
    matches: true,
  },
  {
    title: 'an array in the event that shares no value with the pattern does not match',
    page: ARRAYS,
    pattern: { resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-b188560f'] },
    event: EC2,
    matches: false,
  },
  {
    title: 'prefix matches a time of that day',
    page: OPERATORS,
    pattern: { time: [{ prefix: '2017-12-22' }] },
    event: EC2,
    matches: true,
  },
  {
    title: 'prefix does not match in the middle',
    page: OPERATORS,
    pattern: { region: [{ prefix: 'west' }] },
    event: EC2,
    matches: false,
  },
  detail(
    'prefix ignores case with equals-ignore-case',
    { service: [{ prefix: { 'equals-ignore-case': 'EventB' } }] },
    { service: 'eventbridge' },
    true,
  ),
  detail('suffix matches a file ending', { FileName: [{ suffix: '.png' }] }, { FileName: 'dir/image.png' }, true),
  detail('suffix does not match at the start', { FileName: [{ suffix: '.png' }] }, { FileName: '.png.txt' }, false),
  detail(
    'suffix ignores case with equals-ignore-case',
    { FileName: [{ suffix: { 'equals-ignore-case': '.png' } }] },
    { FileName: 'image.PNG' },
    true,
  ),
  detail(
    'anything-but a string matches another',
    { state: [{ 'anything-but': 'initializing' }] },
    { state: 'running' },
    true,
  ),
  detail(
    'anything-but a string does not match it',
    { state: [{ 'anything-but': 'initializing' }] },
    { state: 'initializing' },
    false,
  ),
  detail('anything-but a number matches another', { 'x-limit': [{ 'anything-but': 123 }] }, { 'x-limit': 456 }, true),
  detail(
    'anything-but a list of strings does not match one of them',
    { state: [{ 'anything-but': ['stopped', 'overloaded'] }] },
    { state: 'stopped' },
    false,
  ),
  detail(
    'anything-but a list of numbers matches one that is not in it',
    { 'x-limit': [{ 'anything-but': [100, 200, 300] }] },
    { 'x-limit': 150 },
    true,
  ),
  detail(
    'anything-but ignoring case does not match another spelling',
    { state: [{ 'anything-but': { 'equals-ignore-case': 'initializing' } }] },
    { state: 'INITIALIZING' },
    false,
  ),
  detail(
    'anything-but ignoring case takes a list',
    { state: [{ 'anything-but': { 'equals-ignore-case': ['initializing', 'stopped'] } }] },
    { state: 'running' },
    true,
  ),
  detail(
    'anything-but a prefix does not match what begins so',
    { state: [{ 'anything-but': { prefix: 'init' } }] },
    { state: 'initializing' },
    false,
  ),
  detail(
    'anything-but a list of prefixes matches what begins with none',
    { state: [{ 'anything-but': { prefix: ['init', 'error'] } }] },
    { state: 'running' },
    true,
  ),
  detail(
    'anything-but a suffix does not match what ends so',
    { FileName: [{ 'anything-but': { suffix: '.txt' } }] },
    { FileName: 'notes.txt' },
    false,
  ),
  detail(
    'anything-but a list of suffixes matches what ends in none',
    { FileName: [{ 'anything-but': { suffix: ['.txt', '.rtf'] } }] },
    { FileName: 'notes.md' },
    true,
  ),
  detail(
    'anything-but a wildcard does not match what it stands for',
    { FilePath: [{ 'anything-but': { wildcard: '*/lib/*' } }] },
    { FilePath: 'usr/lib/a' },
    false,
  ),
  detail(
    'anything-but a list of wildcards matches what none stands for',
    { FilePath: [{ 'anything-but': { wildcard: ['*/lib/*', '*/bin/*'] } }] },
    { FilePath: 'usr/share/a' },
    true,
  ),
  detail(
    'numeric compares with both ends of a range',
    { price: [{ numeric: ['>', 10, '<=', 20] }] },
    { price: 20 },
    true,
  ),
  detail('numeric leaves out an open end', { price: [{ numeric: ['>', 10, '<=', 20] }] }, { price: 10 }, false),
  detail('numeric equals', { 'd-count': [{ numeric: ['=', 3.018e2] }] }, { 'd-count': 301.8 }, true),
  detail(
    'numeric does not match the string of a number',
    { price: [{ numeric: ['=', 100] }] },
    { price: '100' },
    false,
  ),
  detail(
    'cidr matches an address within',
    { 'source-ip': [{ cidr: '10.0.0.0/24' }] },
    { 'source-ip': '10.0.0.255' },
    true,
  ),
  detail(
    'cidr does not match an address outside',
    { 'source-ip': [{ cidr: '10.0.0.0/24' }] },
    { 'source-ip': '10.0.1.0' },
    false,
  ),
  detail('exists true matches a leaf that is there', { state: [{ exists: true }] }, { state: 'pending' }, true),
  detail(
    'exists false does not match a leaf that is there',
    { state: [{ exists: false }] },
    { state: 'pending' },
    false,
  ),
  detail('exists false matches what is absent', { 'c-count': [{ exists: false }] }, { state: 'pending' }, true),
  detail(
    'equals-ignore-case matches another spelling',
    { 'detail-state': [{ 'equals-ignore-case': 'RUNNING' }] },
    { 'detail-state': 'running' },
    true,
  ),
  detail(
    'wildcard matches any file of a folder',
    { FilePath: [{ wildcard: 'dir/*.png' }] },
    { FilePath: 'dir/deep/image.png' },
    true,
  ),
  detail(
    'wildcard does not match another ending',
    { FilePath: [{ wildcard: 'dir/*.png' }] },
    { FilePath: 'dir/image.jpg' },
    false,
  ),
  detail(
    'wildcard takes an escaped star for itself',
    { FilePath: [{ wildcard: 'a\\*b' }] },
    { FilePath: 'axb' },
    false,
  ),
  detail(
    'several operators on one field: one is enough',
    { limit: [{ numeric: ['=', 100] }, { 'anything-but': 'x' }, { prefix: 'y' }] },
    { limit: 'z' },
    true,
  ),
  detail(
    '$or: one alternative is enough',
    { $or: [{ 'c-count': [{ numeric: ['>', 0, '<=', 5] }] }, { 'd-count': [{ numeric: ['<', 10] }] }] },
    { 'c-count': 100, 'd-count': 8 },
    true,
  ),
  detail(
    '$or: no alternative matches',
    { $or: [{ 'c-count': [{ numeric: ['>', 0, '<=', 5] }] }, { 'd-count': [{ numeric: ['<', 10] }] }] },
    { 'c-count': 100, 'd-count': 10 },
    false,
  ),
  {
    title: '$or at the top is combined with other fields',
    page: OPERATORS,
    pattern: { source: ['aws.ec2'], $or: [{ region: ['us-east-1'] }, { account: ['111122223333'] }] },
    event: EC2,
    matches: true,
  },
];

/** Patterns that EventBridge refuses. */
export const REFUSED: readonly { title: string; page: string; pattern: unknown }[] = [
  { title: 'an operator that does not exist', page: OPERATORS, pattern: { source: [{ contains: 'aws' }] } },
  { title: 'a value that is not in an array', page: PATTERNS, pattern: { source: 'aws.ec2' } },
  { title: 'an empty array', page: PATTERNS, pattern: { source: [] } },
  { title: 'two wildcards in a row', page: OPERATORS, pattern: { source: [{ wildcard: 'a**b' }] } },
  {
    title: 'a number beyond 5 billion in numeric',
    page: OPERATORS,
    pattern: { detail: { n: [{ numeric: ['<', 6e9] }] } },
  },
];
