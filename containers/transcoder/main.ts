/** `main.mjs` runs the job that AWS Batch gives it, `main.mjs serve` takes jobs from the queue of an HTTP endpoint. */
if (process.argv[2] === 'serve') {
  const { serve } = await import('./serve/serve.ts');
  await serve();
} else {
  await import('./batch.ts');
}
