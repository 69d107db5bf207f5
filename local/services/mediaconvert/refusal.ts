import type { z } from 'zod';
import { AwsError } from '../../kernel/service.ts';

/** One thing that the service refuses: where in the settings, and why. */
export interface Fault {
  /** `/outputGroups/0/outputs/0/nameModifier`; empty for the settings as a whole. */
  path: string;
  text: string;
}

/**
 * The service reports all faults at once, each with its path, joined by ` | `: as in the BadRequestExceptions of
 * https://github.com/aws-solutions-library-samples/video-on-demand-on-aws/issues/1 and https://github.com/aws/aws-sdk-js-v3/issues/2661
 */
export function refused(faults: readonly Fault[]): AwsError {
  return new AwsError('BadRequestException', 400, faults.map(({ path, text }) => `${path}: ${text}`).join(' | '));
}

/** The faults that a schema finds, in the words of the service's own. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.flatMap((issue) => faultsIn(issue, issue.path));
}

function faultsIn(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): Fault[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      // The wording is a guess, and so is that the service refuses it; a member that is not served here is refused in the same way.
      return [{ path: pathOf(path), text: `Should not have additional properties: ${issue.keys.join(', ')}` }];
    case 'invalid_value':
      if (issue.input === undefined) return [missing(path)];
      return [
        { path: pathOf(path), text: `Should be equal to one of the allowed values in [${issue.values.join(', ')}]` },
      ];
    case 'too_small':
      return [{ path: pathOf(path), text: bound(issue.origin, 'at least', 'greater', issue.minimum) }];
    case 'too_big':
      return [{ path: pathOf(path), text: bound(issue.origin, 'at most', 'less', issue.maximum) }];
    case 'not_multiple_of':
      return [{ path: pathOf(path), text: `Should be a multiple of ${issue.divisor}` }];
    case 'invalid_type':
      if (issue.input === undefined) return [missing(path)];
      return [{ path: pathOf(path), text: `Should be ${issue.expected === 'int' ? 'integer' : issue.expected}` }];
    case 'invalid_format':
      return [{ path: pathOf(path), text: `Should match pattern "${issue.pattern ?? issue.format}"` }];
    case 'invalid_union':
      return faultsIn(issue.errors[0]?.[0] ?? { ...issue, code: 'custom', message: issue.message }, path);
    default:
      return [{ path: pathOf(path), text: issue.message }];
  }
}

function missing(path: readonly PropertyKey[]): Fault {
  return { path: pathOf(path.slice(0, -1)), text: `${String(path.at(-1))} is a required property` };
}

function bound(origin: string, how: string, than: string, limit: number | bigint): string {
  if (origin === 'array') return `Should have ${how} ${limit} items`;
  if (origin === 'string') return `Should have ${how} ${limit} characters`;
  return `Should be ${than} than or equal to ${limit}`;
}

/** Within the settings, whose own name the service leaves out. */
function pathOf(path: readonly PropertyKey[]): string {
  const within = path[0] === 'settings' && path.length > 1 ? path.slice(1) : path;
  return `/${within.map(String).join('/')}`;
}
