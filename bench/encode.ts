import { compareEncode } from './support/encode-bench.ts';

await compareEncode({ seconds: 30, limit: true });
