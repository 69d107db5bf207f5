/**
 * `node --import tsx scripts/check-template.ts [TEMPLATE]`: checks every resource of the synthesized template against the CloudFormation
 * schemas and the services' limits, and every alarm's topic for who may publish, one line for each error; then runs cfn-lint, where it is
 * installed.
 */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { checkAlarmTopics } from './template/alarms.ts';
import { checkLimits } from './template/limits.ts';
import { type Problem, problemLine, type Template } from './template/problem.ts';
import { checkSchemas } from './template/schema.ts';

export async function checkTemplate(template: Template): Promise<Problem[]> {
  return [...(await checkSchemas(template)), ...checkLimits(template), ...checkAlarmTopics(template)];
}

/** CDK writes DependsOn for a role that a function names anyway: W3005. */
const CFN_LINT_IGNORED = ['W3005'];

/** @returns whether it found nothing, or is not installed */
async function cfnLint(file: string): Promise<boolean> {
  const { failed, code, all } = await execa('cfn-lint', ['--ignore-checks', ...CFN_LINT_IGNORED, '--template', file], {
    reject: false,
    all: true,
  });
  if (code === 'ENOENT') {
    process.stderr.write('check-template: cfn-lint is not installed, so it was not asked\n');
    return true;
  }
  if (failed) process.stdout.write(`${all}\n`);
  return !failed;
}

if (import.meta.filename === process.argv[1]) {
  const file = process.argv[2] ?? 'cdk.out/Dropreel.template.json';
  const template = JSON.parse(await readFile(file, 'utf8')) as Template;
  const problems = await checkTemplate(template);
  for (const problem of problems) process.stdout.write(`${problemLine(problem)}\n`);
  const linted = await cfnLint(file);
  process.exitCode = problems.length === 0 && linted ? 0 : 1;
}
