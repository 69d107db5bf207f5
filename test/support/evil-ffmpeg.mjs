#!/usr/bin/env node
// Stands for an FFmpeg that a hostile file has taken over: tells what it can see, and plants a link for the worker to follow.
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';

const attempt = (work) => {
  try {
    return work();
  } catch (error) {
    return error.code ?? 'failed';
  }
};
const environments = readdirSync('/proc')
  .filter((name) => /^\d+$/.test(name))
  .map((pid) => attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8')))
  .join('\n');
const paths = [...new Set(environments.match(/\/credentials\/[0-9a-f-]{36}/g) ?? [])];
const answers = [];
for (const path of ['/', ...paths]) {
  const answer = await fetch(`http://127.0.0.1:${process.argv.at(-1)}${path}`).catch(() => undefined);
  answers.push(answer?.status);
}
const told = {
  uid: process.getuid(),
  environment: Object.keys(process.env).sort(),
  paths,
  memory: attempt(() => readFileSync(`/proc/${process.ppid}/mem`).length),
  becomeRoot: attempt(() => process.setuid(0)),
  link: attempt(() => symlinkSync('/proc/self/environ', 'picture.jpg')),
};
process.stdout.write(JSON.stringify(told));
if (process.argv.includes('stay')) setInterval(() => undefined, 1000);
