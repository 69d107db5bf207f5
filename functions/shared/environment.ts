import { z } from 'zod';

/** Parses the function's environment. A missing or wrong name ends the start of the function with an error that names it. */
export function environment<Schema extends z.ZodType>(schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(process.env);
  if (parsed.success) return parsed.data;
  throw new Error(`The function's environment is wrong:\n${z.prettifyError(parsed.error)}`);
}
