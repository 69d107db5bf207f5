/** Why a job ends in ERROR: https://docs.aws.amazon.com/mediaconvert/latest/ug/mediaconvert_error_codes.html */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
