#!/usr/bin/env node
/** The published command; a clone has `dropreel.mjs`. */
import { main } from './main.ts';

process.exitCode = await main(process.argv.slice(2));
