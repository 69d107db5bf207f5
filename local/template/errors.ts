/** A template that cannot be served here. The message names the resource and what is wrong with it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Every problem of a template, shown together. */
export class TemplateProblems extends Error {
  override readonly name = 'TemplateProblems';
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly string[]) {
    super(
      `${file} cannot be served locally (${problems.length} problems):\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.problems = problems;
  }
}
