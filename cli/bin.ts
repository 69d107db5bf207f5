#!/usr/bin/env node
/** The published command; a clone has `dropreel.mjs`. */
import { main } from './main.ts';

// Whoever reads has seen enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = await main(process.argv.slice(2));
