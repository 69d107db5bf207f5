/**
 * A film in chunks: against the same in one encode (CPU, bytes, SSIM, each picture's number and time, the sound at the joints and at the end);
 * on the local cloud with one, two and four workers; the join of a thousand chunks; and a simulation of an hour and of ten hours of 1080p on up
 * to 64 workers. ONLY names one of `compare`, `slots`, `join` and `simulate`. FILM_SECONDS and CHUNKS set the film: 180 and 3.
 */
import { compare } from './support/film-compare.ts';
import { joinMany } from './support/film-join.ts';
import { simulate, VCPUS } from './support/film-simulation.ts';
import { slotTimes } from './support/film-slots.ts';

const { ONLY, FILM_SECONDS = 180, CHUNKS = 3, JOIN_CHUNKS = 1000, SLOT_SECONDS = 600 } = process.env;

const PARTS: Record<string, () => unknown> = {
  compare: () => compare({ seconds: Number(FILM_SECONDS), chunks: Number(CHUNKS), rounds: 2 }),
  slots: () => slotTimes(Number(SLOT_SECONDS), [1, 2, 4]),
  join: () => joinMany(Number(JOIN_CHUNKS)),
  simulate: simulation,
};
for (const [name, part] of Object.entries(PARTS)) if (ONLY === undefined || ONLY === name) await part();

function simulation(): void {
  const header =
    '| machines | vCPUs | chunks | first playable | with a warm one | ready after | USD | times one |\n|---|---|---|---|---|---|---|---|';
  for (const hours of [1, 10]) {
    console.log(`\n${hours} h of 1080p30\n\n${header}`);
    for (const machines of [1, 2, 4, 8, 16, 32, 64]) row(machines, hours);
  }
  for (const minutes of [8, 6, 5, 4]) {
    console.log(`\n1 h of 1080p30, of a collection whose deadline is ${minutes} min\n\n${header}`);
    for (const machines of [16, 32, 64]) row(machines, 1, { deadlineSeconds: 60 * minutes });
  }
  console.log(`\n1 h of 1080p30, on workers of 1 to 16 vCPUs, 256 in all\n\n${header}`);
  for (const vcpus of [1, 2, 4, 8, 16]) row(256 / vcpus, 1, {}, vcpus);
  console.log(`\n1 h of 1080p30, in as many chunks as there may be\n\n${header}`);
  for (const machines of [16, 32, 64]) row(machines, 1, { count: Math.min(60, machines - 1) });
}

function row(machines: number, hours: number, wish?: Parameters<typeof simulate>[2], vcpus = VCPUS): void {
  const { chunks, first, seconds, usd, dearer } = simulate(3600 * hours, machines, wish, vcpus);
  const time = `${(seconds / 60).toFixed(1)} min`;
  const plays = first ? [`${first.cold.toFixed(0)} s`, `${first.warm.toFixed(0)} s`] : ['', ''];
  const cells = [machines, machines * vcpus, chunks, ...plays, time, usd.toFixed(2), dearer.toFixed(2)];
  console.log(`| ${cells.join(' | ')} |`);
}
