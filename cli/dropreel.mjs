#!/usr/bin/env node
// The command from a clone: TypeScript, which tsx runs on every supported Node. The published command is bin.ts, bundled.
import { tsImport } from 'tsx/esm/api';

// `npm run dropreel` changes to the root of the clone, but file arguments are relative to where it was typed.
if (process.env.npm_lifecycle_event === 'dropreel' && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
await tsImport('./bin.ts', import.meta.url);
