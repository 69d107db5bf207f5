/** What makes the clouds of the end-to-end and fault tests adverse (local/adverse). Another seed is another run: `DROPREEL_ADVERSE=11 npx vitest run test/e2e`. */
export const ADVERSE_SEED = Number(process.env.DROPREEL_ADVERSE ?? 7);
