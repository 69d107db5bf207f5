#!/usr/bin/env node
// The command is TypeScript; tsx, which a clone has, runs it on every supported Node.
import { tsImport } from 'tsx/esm/api';

const { main } = await tsImport('./main.ts', import.meta.url);
process.exitCode = await main(process.argv.slice(2));
